internal import Batching
internal import Scheduling
internal import ServingModel

/// Watches a simulation from outside: when workers gave tokens, and how busy the fleet was.
struct RunObserver {
    /// The fleet at one moment.
    private(set) var load: [FleetLoad] = []

    /// For each worker, when its decoding steps ended.
    private var decodes: [[Instant]] = []
    private var completedSteps: [Int] = []
    /// Whether the step in progress decodes.
    private var isDecoding: [Bool] = []
    private var nextSample = Instant.zero
    private let sampleDistance: Interval
    private let end: Instant

    private static let samples = 300

    init(until seconds: Double) {
        sampleDistance = .seconds(rounding: max(seconds / Double(Self.samples), 1e-3))
        end = Instant.zero + .seconds(rounding: seconds)
    }

    mutating func observe(_ simulation: ClusterSimulation) {
        while completedSteps.count < simulation.workers.count {
            decodes.append([])
            completedSteps.append(0)
            isDecoding.append(false)
        }
        // At all others nothing happened.
        for index in simulation.lastTouched {
            let steps = simulation.workers[index].completedSteps
            if steps != completedSteps[index] {
                completedSteps[index] = steps
                if isDecoding[index] { decodes[index].append(simulation.now) }
                isDecoding[index] = false
            }
            if !isDecoding[index], let step = simulation.workers[index].batch.stepInProgress {
                isDecoding[index] = !step.decodes.isEmpty
            }
        }
        guard simulation.now >= nextSample, simulation.now <= end else { return }
        nextSample = simulation.now + sampleDistance
        var sample = FleetLoad(time: simulation.now, workers: simulation.fleet.steps.last?.workers ?? 0)
        for worker in simulation.workers {
            if worker.isBusy { sample.busy += 1 }
            sample.running += worker.batch.runningCount
            sample.queued += worker.batch.count - worker.batch.runningCount
        }
        sample.held = simulation.scheduler.view.unplaced.count
        load.append(sample)
    }

    /// How many tokens came later than the objectives' pace from the arrival on.
    ///
    /// Token n (from 0) is late if it comes after `arrival + T_ttft + n·T_atgt`: what a reader who reads at that pace
    /// has to wait for. The tokens of a query that was preempted are taken as evenly spaced.
    func lateness(of workload: StudyWorkload, _ records: [QueryRecord]) -> TokenLateness {
        var result = TokenLateness()
        for index in workload.counted {
            let query = workload.queries[index]
            let record = records[index]
            result.tokens += query.outputTokens
            guard let first = record.firstToken, let finish = record.finish else {
                result.late += query.outputTokens
                continue
            }
            let origin = query.arrival + query.objective.timeToFirstToken
            let pace = query.objective.averageTokenTime
            if first > origin { result.late += 1 }
            guard query.outputTokens > 1, let worker = record.worker else { continue }
            let count = Int64(query.outputTokens - 1)
            let times = decodes[worker]
            let start = times.partitioningIndex { $0 > first }
            let isWhole = record.preemptions == 0 && record.attempts <= 1 && times.count - start >= Int(count)
            for token in 1...count {
                let time =
                    isWhole
                    ? times[start + Int(token) - 1]
                    : first + Interval(nanoseconds: (finish - first).nanoseconds / count * token)
                if time > origin + Interval(nanoseconds: pace.nanoseconds * token) { result.late += 1 }
            }
        }
        return result
    }
}

extension [Instant] {
    /// The first index at which `isBeyond` holds, of values for which it first does not and then does.
    fileprivate func partitioningIndex(_ isBeyond: (Instant) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
