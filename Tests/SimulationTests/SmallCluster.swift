import Batching
import Scheduling
import ServingModel
import Simulation

/// Workers so small that their memory is short, and traces for them.
enum SmallCluster {
    /// 256 tokens of KV memory, and steps of a few milliseconds.
    static var profile: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.c1Milliseconds = 3
        profile.prefill.k1Milliseconds = 0.17
        profile.decode.c3Milliseconds = 5
        profile.decode.c2Milliseconds = 0.31
        profile.decode.k2Milliseconds = 0.0123
        profile.kvCache.capacityTokens = 256
        profile.kvCache.bytesPerToken = 327_680
        profile.limits.maximumSequences = 12
        profile.limits.chunkTokens = 40
        return profile
    }

    static func trace(seed: Int, count: Int = 60, longest: Int = 100, gap: Int64 = 60) -> [SimulatedQuery] {
        var generator = SeededGenerator(seed: UInt64(seed))
        var arrival = Instant.zero
        return (0..<count).map { _ in
            if Bool.random(using: &generator) {
                arrival = arrival + .milliseconds(Int64.random(in: 0...gap, using: &generator))
            }
            return SimulatedQuery(
                arrival: arrival,
                inputTokens: Int.random(in: 1...longest, using: &generator),
                outputTokens: Int.random(in: 1...longest, using: &generator)
            )
        }
    }

    /// A simulation at its start.
    static func simulation(
        _ queries: [SimulatedQuery],
        workers: Int = 1,
        policy: String = "round-robin",
        seed: UInt64 = 1,
        _ configuration: ClusterSimulation.Configuration
    ) throws -> ClusterSimulation {
        ClusterSimulation(
            profiles: Array(repeating: profile, count: workers),
            queries: queries,
            scheduler: Scheduler(policy: try PolicyCatalog.make(policy, seed: seed)),
            configuration: configuration
        )
    }

    /// What became of the queries; the invariants are checked after every instant, or after every so many.
    static func replay(
        _ queries: [SimulatedQuery],
        workers: Int = 1,
        policy: String = "round-robin",
        seed: UInt64 = 1,
        checkingEvery distance: Int = 1,
        _ configuration: ClusterSimulation.Configuration
    ) throws -> [QueryRecord] {
        var simulation = try simulation(queries, workers: workers, policy: policy, seed: seed, configuration)
        var instants = 0
        while simulation.advance() {
            instants += 1
            if instants % distance == 0 { simulation.checkInvariants() }
        }
        simulation.checkInvariants()
        return simulation.records
    }
}
