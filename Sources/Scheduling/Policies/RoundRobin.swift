package import ServingModel

/// Workers in turn, each model's pool for itself.
package struct RoundRobin: ImmediatePolicy {
    private var turns: [String: Int] = [:]

    package init() {}

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        let turn = turns[query.queued.model, default: 0]
        turns[query.queued.model] = turn + 1
        return pool[turn % pool.count]
    }
}
