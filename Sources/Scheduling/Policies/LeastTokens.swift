package import ServingModel

/// The worker with the fewest tokens, to be prefilled and resident together.
package struct LeastTokens: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        let best = workers.min { $0.waitingTokens + $0.contextTokens < $1.waitingTokens + $1.contextTokens }
        return (best?.id ?? workers[0].id, nil)
    }
}
