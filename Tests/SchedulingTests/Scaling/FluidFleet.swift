import Scheduling
import ServingModel

/// A fleet as a fluid: work flows in, workers work it off, and start after a while.
///
/// A stand-in for the simulator, to see whether a policy closes the loop.
struct FluidFleet {
    let startUp: Int64
    /// Worker-seconds of a query.
    var work = 0.5
    /// Sold share of a worker's time.
    var soldShare = 0.5
    /// KV use of a busy worker.
    var busyKVUse = 0.6

    private(set) var active: Int
    private(set) var starting: [(ready: Int64, since: Int64)] = []
    private(set) var backlog = 0.0
    private(set) var second: Int64 = 0
    /// Seconds of workers paid for, and seconds in which work was left over for more than 2 s.
    private(set) var workerSeconds = 0.0
    private(set) var lateSeconds = 0

    init(active: Int, startUp: Int64 = 30) {
        self.active = active
        self.startUp = startUp
    }

    /// Lets a second pass with `queries` arriving, and does as the policy wishes.
    mutating func tick(queries: Int, policy: inout some ScalingPolicy) -> ScalingWish {
        second += 1
        var observation = FleetObservation()
        observation.startUpTimes = starting.filter { $0.ready <= second }.map { .seconds($0.ready - $0.since) }
        active += observation.startUpTimes.count
        starting.removeAll { $0.ready <= second }
        let capacity = Double(active) * soldShare
        let offered = Double(queries) * work
        let done = min(backlog + offered, capacity)
        backlog += offered - done
        if backlog > 2 * capacity { lateSeconds += 1 }
        workerSeconds += Double(active + starting.count)

        observation.activeWorkers = active
        observation.startingWorkers = starting.count
        observation.arrivedQueries = queries
        observation.arrivedInputTokens = queries * 500
        observation.offeredWork = offered
        observation.workersPerWork = 1 / soldShare
        observation.waitingWork = backlog
        observation.waitingQueries = Int(backlog / work)
        observation.kvUse = capacity > 0 ? busyKVUse * done / capacity + (backlog > capacity ? 0.3 : 0) : 0
        observation.finishedQueries = Int(done / work)
        observation.finishedOutputTokens = Int(done / work) * 200
        observation.meanBatch = capacity > 0 ? 40 * done / capacity : 0
        let wish = policy.desiredWorkers(observation, at: .zero + .seconds(second))
        follow(wish.workers)
        return wish
    }

    private mutating func follow(_ workers: Int) {
        while active + starting.count < workers { starting.append((second + startUp, second)) }
        while active + starting.count > workers, !starting.isEmpty { starting.removeLast() }
        active = min(active, max(workers, 0))
    }
}
