import Batching
import Scheduling
import ServingModel
import Simulation
import Testing

@Suite("Models that are wrong")
struct ModelErrorTests {
    private let queries = SmallCluster.trace(seed: 31, count: 150)

    private func noisy(_ sigma: Double, seed: UInt64) -> ClusterSimulation.Configuration {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.stepTimeNoise = StepTimeNoise(sigma: sigma, seed: seed)
        return configuration
    }

    @Test("Noise is reproduced by its seed, and without deviation there is none")
    func noise() throws {
        let quiet = try SmallCluster.replay(queries, workers: 2, policy: "jsq", .init(mode: .prefillPriority))
        #expect(try SmallCluster.replay(queries, workers: 2, policy: "jsq", noisy(0, seed: 1)) == quiet)
        let noise = try SmallCluster.replay(queries, workers: 2, policy: "jsq", noisy(0.1, seed: 1))
        #expect(noise != quiet)
        #expect(try SmallCluster.replay(queries, workers: 2, policy: "jsq", noisy(0.1, seed: 1)) == noise)
        #expect(try SmallCluster.replay(queries, workers: 2, policy: "jsq", noisy(0.1, seed: 2)) != noise)
    }

    @Test("Noise neither speeds up nor slows down in the mean")
    func meanOfNoise() throws {
        // One query alone: 4,000 steps of nearly the same length.
        var long = SmallCluster.profile
        long.kvCache.capacityTokens = 8192
        long.decode.k2Milliseconds = 0
        let query = [SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 4001)]
        var simulation = ClusterSimulation(
            profiles: [long],
            queries: query,
            scheduler: Scheduler(policy: try PolicyCatalog.make("jsq", seed: 1)),
            configuration: noisy(0.2, seed: 5)
        )
        simulation.run()
        let first = try #require(simulation.records[0].firstToken)
        let finish = try #require(simulation.records[0].finish)
        // 5.31 ms each; the mean's standard error is 0.2/√4000 = 0.3 %.
        #expect(abs((finish - first).seconds / (4000 * 0.00531) - 1) < 0.012)
    }

    @Test("Workers run as fast as they are, whatever they are believed to be")
    func believed() throws {
        var slow = SmallCluster.profile
        slow.prefill.k1Milliseconds *= 3
        var simulation = ClusterSimulation(
            profiles: [SmallCluster.profile, SmallCluster.profile],
            believed: [slow, SmallCluster.profile],
            queries: queries,
            scheduler: Scheduler(policy: try PolicyCatalog.make("round-robin", seed: 1), learnsStepTimes: false),
            configuration: .init(mode: .prefillPriority)
        )
        simulation.run()
        #expect(simulation.records == (try SmallCluster.replay(queries, workers: 2, .init(mode: .prefillPriority))))
        #expect(simulation.scheduler.view.workers[0].profile.prefill.k1Milliseconds == slow.prefill.k1Milliseconds)
    }

    @Test("Lengths reported wrong are learnt wrong")
    func wrongLengths() throws {
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        configuration.reportedLengthScale = 2
        var simulation = try SmallCluster.simulation(queries, configuration)
        simulation.run()
        let mean = queries.reduce(0) { $0 + Double($1.outputTokens) } / Double(queries.count)
        let learnt = simulation.scheduler.view.lengths.survival(model: "m").mean
        #expect(abs(learnt / (2 * mean) - 1) < 0.3)
    }
}
