internal import Dispatch
internal import Foundation
internal import Scheduling
internal import Simulation
internal import Synchronization

/// Runs a study's simulations side by side, one a processor; results are in order and do not depend on timing.
struct StudyRunner: Sendable {
    /// A simulation to be run.
    struct Job: Hashable, Sendable {
        var policy: String
        var workers: Int
        /// Which of the workloads.
        var seed: Int
    }

    private(set) var study: SimulationStudy
    let workloads: [StudyWorkload]
    let progress = ProgressLine()

    init(_ study: SimulationStudy) throws {
        self.study = study
        workloads = try study.workloads()
    }

    /// Lets the number of workers follow the load.
    mutating func scale(_ scaling: SimulatedScaling?) {
        study.scaling = scaling
    }

    /// The runs of jobs, in their order.
    ///
    /// - Parameter isDetailed: follows single tokens and the fleet's load, too.
    func runs(of jobs: [Job], label: String, isDetailed: Bool) async throws -> [SimulationRun] {
        progress.begin(label, jobs: jobs.count)
        let next = Atomic(0)
        let runs = try await onAllProcessors { [study, workloads, progress] in
            var results: [(Int, SimulationRun)] = []
            while case let index = next.add(1, ordering: .relaxed).oldValue, index < jobs.count {
                let job = jobs[index]
                var watch = SimulationStudy.Watch()
                watch.isDetailed = isDetailed
                watch.stopwatch = { DispatchTime.now().uptimeNanoseconds }
                watch.progress = { share in
                    progress.update(index, share: share)
                    return !Task.isCancelled
                }
                guard let run = try study.run(job.policy, workers: job.workers, workloads[job.seed], watch) else {
                    throw CancellationError()
                }
                results.append((index, run))
                progress.finish(index)
            }
            return results
        }
        progress.clear()
        return runs.flatMap(\.self).sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// The least number of workers with which each policy reaches the attainment; nil where none up to `largest` does.
    func minima(
        of policies: [String],
        from smallest: Int,
        through largest: Int,
        attainment: Double
    ) async throws -> [Int?] {
        let search = MinimumWorkers(
            from: smallest,
            through: largest,
            attainment: attainment,
            queries: workloads.map(\.counted.count)
        )
        let searches = Mutex(policies.map { _ in search })
        progress.begin("", jobs: 0)
        _ = try await onAllProcessors { [study, workloads, progress] in
            while let (index, trial) = searches.withLock({ Self.nextTrial(of: &$0) }) {
                progress.update(index, share: 0, label: "\(policies[index]): trying \(trial.workers) workers")
                var watch = SimulationStudy.Watch()
                watch.allowedMisses = trial.allowedMisses
                watch.progress = { _ in
                    // What was tried ahead of an answer that has come needn't go on.
                    !Task.isCancelled && searches.withLock { $0[index].answer == .undecided }
                }
                let run = try study.run(policies[index], workers: trial.workers, workloads[trial.seed], watch)
                try Task.checkCancellation()
                searches.withLock { $0[index].take(trial, misses: run?.misses) }
            }
            return [Never]()
        }
        progress.clear()
        return searches.withLock { searches in
            searches.map { if case .found(let workers) = $0.answer { workers } else { nil } }
        }
    }

    /// What decides something first, of any policy; then what may turn out to be needed.
    private static func nextTrial(of searches: inout [MinimumWorkers]) -> (Int, MinimumWorkers.Trial)? {
        for ahead in [false, true] {
            for index in searches.indices {
                if let trial = searches[index].next(ahead: ahead) { return (index, trial) }
            }
        }
        return nil
    }

    /// The results of a body that runs once for each processor.
    private func onAllProcessors<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> [Result]
    ) async throws -> [[Result]] {
        try await withThrowingTaskGroup { group in
            for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) { group.addTask { try body() } }
            var results: [[Result]] = []
            for try await result in group { results.append(result) }
            return results
        }
    }
}
