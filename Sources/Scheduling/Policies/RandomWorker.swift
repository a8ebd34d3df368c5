package import ServingModel

/// Any worker, each as likely as the next.
package struct RandomWorker: ImmediatePolicy {
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
        pool[Int.random(in: pool.indices, using: &generator)]
    }
}
