package import ServingModel

/// The worker whose KV cache is least used, as a share of its capacity, what waits there included.
package struct LeastKVCache: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        (workers.min { Self.usage(of: $0) < Self.usage(of: $1) }?.id ?? workers[0].id, nil)
    }

    private static func usage(of worker: WorkerView) -> Double {
        Double(worker.contextTokens + worker.waitingTokens) / Double(max(worker.profile.kvCache.capacityTokens, 1))
    }
}
