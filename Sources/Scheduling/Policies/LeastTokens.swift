package import ServingModel

/// The worker with the fewest tokens: contexts of what runs and prompts of what waits.
package struct LeastTokens: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        view.slot(in: pool) { Double($0.contextTokens + $0.waitingTokens) }
    }
}
