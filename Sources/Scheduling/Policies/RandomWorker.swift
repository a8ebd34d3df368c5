package import ServingModel

/// Any worker, all alike.
package struct RandomWorker: ImmediatePolicy {
    private var generator: SeededGenerator

    package init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        (workers[Int.random(in: 0..<workers.count, using: &generator)].id, nil)
    }
}
