package import ServingModel

/// The worker whose KV cache will be least full: contexts and prompts on their way, as a share of its capacity.
package struct LeastKVCache: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        view.slot(in: pool) { worker in
            Double(worker.contextTokens + worker.waitingTokens)
                / Double(max(1, worker.profile.kvCache.capacityTokens))
        }
    }
}
