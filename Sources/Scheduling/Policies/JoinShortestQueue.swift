package import ServingModel

/// The worker with the fewest unfinished queries, whatever their lengths; the earliest to join on ties.
package struct JoinShortestQueue: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        view.slot(in: pool) { Double($0.load) }
    }
}

extension ClusterView {
    /// The slot of a pool with the least of something, the first on ties.
    package func slot(in pool: [Int], least value: (WorkerView) -> Double) -> Int {
        var best = pool[0]
        var least = Double.infinity
        for slot in pool {
            let value = value(workers[slot])
            if value < least { (best, least) = (slot, value) }
        }
        return best
    }
}
