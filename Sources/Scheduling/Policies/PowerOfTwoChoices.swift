package import ServingModel

/// The less loaded of two workers drawn at random (Mitzenmacher 2001).
package struct PowerOfTwoChoices: ImmediatePolicy {
    private var generator: SeededGenerator

    package init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        guard workers.count > 1 else { return (workers[0].id, nil) }
        let first = Int.random(in: 0..<workers.count, using: &generator)
        var second = Int.random(in: 0..<workers.count - 1, using: &generator)
        if second >= first { second += 1 }
        let (low, high) = (min(first, second), max(first, second))
        return (workers[high].load < workers[low].load ? workers[high].id : workers[low].id, nil)
    }
}
