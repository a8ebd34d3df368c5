package import ServingModel

/// Each worker in its turn, whatever it has to do: what most gateways do by default.
package struct RoundRobin: ImmediatePolicy {
    private var count = 0

    package init() {}

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        defer { count += 1 }
        return (workers[count % workers.count].id, nil)
    }
}
