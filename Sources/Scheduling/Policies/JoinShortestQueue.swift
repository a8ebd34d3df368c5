package import ServingModel

/// The worker with the fewest unfinished queries (JSQ); the earliest registered on ties.
package struct JoinShortestQueue: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        (workers.min { $0.load < $1.load }?.id ?? workers[0].id, nil)
    }
}
