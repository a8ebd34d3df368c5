package import ServingModel

/// The worker with the fewest prompt tokens still to be prefilled; of equals the one with the least KV cache in use.
///
/// The load term that SGLang's and Dynamo's routers share once prefixes are left aside, in its plainest form: first the
/// work that stands between a query and its first token, then memory. Tokens of the step under way still count, for no
/// router hears of them before the step ends. Simplified: the order is strict, where Dynamo adds the two up
/// (`KVCostModel`).
package struct PendingPrefill: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        var best = pool[0]
        var least = (tokens: Int.max, kvCache: Double.infinity)
        for slot in pool {
            let worker = view.workers[slot]
            guard worker.waitingTokens <= least.tokens else { continue }
            let kvCache = Double(worker.usedKVTokens) / Double(max(1, worker.profile.kvCache.capacityTokens))
            guard (worker.waitingTokens, kvCache) < least else { continue }
            (best, least) = (slot, (worker.waitingTokens, kvCache))
        }
        return best
    }
}
