import RecordTables
import Scheduling
import ServingModel
import Testing

@Suite("Best-fit against its constraints")
struct BestFitPropertyTests {
    /// Best-fit, and a naive check of each of its placements at the moment it is made.
    struct Audited: PlacementPolicy {
        var bestFit: BestFit
        var placed = 0
        var broken = 0
        var degraded: UInt64 { bestFit.degraded }
        /// Placements beyond the degraded ones that break a constraint.
        var unaccounted: [String] = []

        mutating func decide(in view: inout ClusterView, at now: Instant) -> Decision {
            var replay = view
            let before = bestFit.degraded
            let decision = bestFit.decide(in: &view, at: now)
            var letters: [String] = []
            for placement in decision.placements {
                let slot = replay.slot(of: placement.worker)!
                replay.place(placement.query, onSlot: slot, at: now)
                var naive = NaiveConstraints(replay.workers[slot], in: replay, at: now)
                naive.theta = bestFit.settings.theta
                naive.gamma = bestFit.settings.gamma
                if !naive.broken.isEmpty { letters.append("\(placement.query): \(naive.broken)") }
            }
            placed += decision.placements.count
            broken += letters.count
            if letters.count > bestFit.degraded - before { unaccounted += letters }
            return decision
        }
    }

    @Test(
        "With lengths and times known exactly, only degraded placements break a constraint",
        arguments: 1...12 as ClosedRange<UInt64>
    )
    func keepsConstraints(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var profile = LatencyProfile.packing()
        profile.kvCache.capacityTokens = [3000, 6000, 100_000][Int(seed) % 3]
        profile.limits.maximumSequences = [256, 8][Int(seed) % 2]
        profile.limits.maximumBatchedTokens = [8192, 1000][Int(seed / 2) % 2]
        var settings = BestFit.Settings.loose
        settings.rebalances = seed % 4 == 0
        settings.groups = seed % 5 == 0 ? 2 : 1
        let audited = Audited(bestFit: BestFit(settings))
        var cluster = PackingCluster(audited, workers: 5, profile: profile)
        // From too little to too much.
        let gap = Int64([400, 200, 800][Int(seed / 3) % 3])
        for number: UInt64 in 1...300 {
            let input = Int.random(in: 10...900, using: &generator)
            let output =
                Bool.random(using: &generator)
                ? Int.random(in: 1...20, using: &generator) : Int.random(in: 20...300, using: &generator)
            let tokenTime = [60, 100].randomElement(using: &generator)!
            cluster.arrive(number, input: input, output: output, timeToFirstToken: 1000, tokenTime: Int64(tokenTime))
            cluster.decide()
            cluster.advance(to: cluster.now + .milliseconds(Int64.random(in: 0...(2 * gap), using: &generator)))
        }
        cluster.advance(to: cluster.now + .seconds(600))
        let result = try #require(cluster.scheduler.policy as? Audited)
        #expect(result.unaccounted == [])
        #expect(result.placed == 300)
        #expect(cluster.scheduler.view.queries.isEmpty)
        // The check is no empty one, even where there is too little of everything.
        #expect(result.degraded < 200)
    }
}
