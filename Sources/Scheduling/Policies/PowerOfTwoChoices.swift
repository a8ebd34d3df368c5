package import ServingModel

/// The less loaded of two workers drawn at random, by unfinished queries.
///
/// Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996.
package struct PowerOfTwoChoices: ImmediatePolicy {
    private var generator: SeededGenerator

    package init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        guard pool.count > 1 else { return pool[0] }
        let first = Int.random(in: pool.indices, using: &generator)
        var second = Int.random(in: 0..<(pool.count - 1), using: &generator)
        if second >= first { second += 1 }
        let (left, right) = (pool[first], pool[second])
        return view.workers[left].load <= view.workers[right].load ? left : right
    }
}
