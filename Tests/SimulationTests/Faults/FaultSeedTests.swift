import Simulation
import Testing

@Suite("A cluster in which everything fails")
struct FaultSeedTests {
    /// Seeds in `make test`; each batch of them is one case, so that they share the cores.
    private static let batches = 0..<10
    private static let seedsInBatch: UInt64 = 50

    @Test("Every invariant holds after every event, whatever fails", arguments: batches)
    func holds(batch: Int) {
        var coverage = FaultCoverage()
        for seed in UInt64(batch) * Self.seedsInBatch..<UInt64(batch + 1) * Self.seedsInBatch {
            var cluster = FaultyCluster(seed: seed)
            cluster.run()
            coverage.add(cluster.coverage)
            #expect(cluster.violation == nil, "FaultSimulation --seed \(seed) --trace tells its story")
        }
        // What all seeds together have to reach, each batch reaches nearly: a workload that has become tame shows.
        #expect(coverage.missing.count <= 3, "never reached: \(coverage.missing)")
        #expect(coverage[.endedOK] > 1000 && coverage[.readBack] > 1000, "most of the work is done, and read twice")
    }

    @Test("A seed is the same run every time")
    func repeats() {
        for seed: UInt64 in [1, 2, 3] {
            var first = FaultyCluster(seed: seed, storyLimit: 100_000)
            var second = FaultyCluster(seed: seed, storyLimit: 100_000)
            first.run()
            second.run()
            #expect(first.events == second.events && first.coverage == second.coverage)
            #expect(first.story == second.story && !first.story.isEmpty)
        }
    }

    @Test("A run that is told about is the run that was not")
    func tracingChangesNothing() {
        var silent = FaultyCluster(seed: 5)
        var traced = FaultyCluster(seed: 5, storyLimit: 10)
        silent.run()
        traced.run()
        #expect(silent.events == traced.events && silent.coverage == traced.coverage)
        #expect(silent.story.isEmpty && traced.story.count <= 20)
    }
}
