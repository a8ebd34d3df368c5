internal import Scheduling
internal import Simulation

/// The smallest fleets that reach some targets; or, where there is no policy, what no policy can go below.
struct MinimumFinding: Codable, Sendable {
    var targets: [Double]
    /// For each target; nil where no size up to the largest suffices.
    var workers: [Int?]
    /// The last size that was tried.
    var largest: Int
    /// N_mf of the load; only for bounds.
    var meanField: Double?

    func workers(at target: Double) -> Int? {
        targets.firstIndex(of: target).flatMap { workers[$0] }
    }

    /// As a table shows it: a number of workers, or that more than the largest would be needed.
    func cell(at target: Double) -> Cell {
        guard targets.contains(target) else { return Cell.count(nil) }
        guard let workers = workers(at: target) else { return Cell("> \(largest)") }
        return .count(workers)
    }
}

/// Finds the smallest fleet, from the lower bound upward.
struct MinimumSearch: Sendable {
    /// Makes one run of so many workers, a workload, and misses beyond which it may stop.
    ///
    /// - Returns: the misses; nil if it stopped.
    typealias Run = @Sendable (Int, StudyWorkload, Int) throws -> Int?

    let study: SimulationStudy
    let workloads: [StudyWorkload]
    let targets: [Double]
    let largest: Int

    /// - Parameter largest: the last size to try; nil for 2.75 times the mean-field capacity, beyond which the fleet
    ///   would be mostly idle.
    init(_ study: SimulationStudy, targets: [Double], meanField: Double, largest: Int? = nil) throws {
        self.study = study
        workloads = try study.workloads()
        self.targets = targets
        self.largest = largest ?? Int((2.75 * meanField).rounded(.up))
    }

    /// The lower bounds.
    func bounds(meanField: Double) -> MinimumFinding {
        let bounds = targets.map { study.bound(for: workloads, attainment: $0) }
        return MinimumFinding(targets: targets, workers: bounds, largest: largest, meanField: meanField)
    }

    func minimum(_ policy: String) throws -> MinimumFinding {
        try minimum { workers, workload, allowedMisses in
            var watch = SimulationStudy.Watch()
            watch.allowedMisses = allowedMisses
            return try study.run(policy, workers: workers, workload, watch)?.misses
        }
    }

    /// The smallest fleets for any way of running them; a target is searched from where the lower one was reached.
    ///
    /// - Parameter smallest: the first size to try; nil for the lower bound.
    func minimum(from smallest: Int? = nil, _ run: Run) throws -> MinimumFinding {
        struct Size: Hashable {
            var workers: Int
            var seed: Int
        }
        var known: [Size: Int] = [:]
        var from = smallest ?? 1
        var result = MinimumFinding(targets: targets, workers: [], largest: largest)
        for target in targets {
            if smallest == nil { from = max(from, study.bound(for: workloads, attainment: target)) }
            guard from <= largest else {
                result.workers.append(nil)
                continue
            }
            var search = MinimumWorkers(
                from: from,
                through: largest,
                attainment: target,
                queries: workloads.map(\.counted.count)
            )
            while let trial = search.next(ahead: false) {
                let size = Size(workers: trial.workers, seed: trial.seed)
                let misses = try known[size] ?? run(trial.workers, workloads[trial.seed], trial.allowedMisses)
                known[size] = misses
                search.take(trial, misses: misses)
            }
            if case .found(let workers) = search.answer {
                result.workers.append(workers)
                from = workers
            } else {
                result.workers.append(nil)
                from = largest + 1
            }
        }
        return result
    }
}
