import Batching
import Scheduling
import ServingModel
import Simulation
import Testing

@Suite("Golden cases")
struct GoldenTests {
    static let names = ["burst_base", "burst_caps", "burst_preempt", "poisson_base"]
    static let modes: [BatchingMode] = [.prefillPriority, .chunked]
    static let policies = ["round-robin", "jsq"]

    @Test("Every query's worker, first and last token agree to the nanosecond", arguments: names)
    func agreesToTheNanosecond(name: String) throws {
        let golden = try GoldenCase.load(name)
        #expect(golden.expected.count == Self.modes.count * Self.policies.count)
        for expectation in golden.expected {
            let mode = try #require(BatchingMode(rawValue: expectation.mode))
            #expect(Self.policies.contains(expectation.policy))
            var simulation = try simulation(of: golden, mode, policy: expectation.policy)
            simulation.run()
            let records = simulation.records
            #expect(records.map(GoldenCase.Outcome.init) == expectation.queries, "\(mode), \(expectation.policy)")
            #expect(records.reduce(0) { $0 + $1.preemptions } == expectation.preemptions)
        }
    }

    @Test("The invariants hold after every instant", arguments: names, modes)
    func invariantsHold(name: String, mode: BatchingMode) throws {
        let golden = try GoldenCase.load(name)
        var simulation = try simulation(of: golden, mode, policy: "jsq")
        while simulation.advance() { simulation.checkInvariants() }
        #expect(simulation.workers.allSatisfy { $0.batch.isEmpty && $0.batch.blocks.free == $0.batch.blocks.total })
    }

    private func simulation(
        of golden: GoldenCase,
        _ mode: BatchingMode,
        policy: String
    ) throws -> ClusterSimulation {
        ClusterSimulation(
            profiles: Array(repeating: golden.profile, count: golden.workers),
            queries: golden.trace,
            scheduler: Scheduler(policy: try PolicyCatalog.make(policy, seed: 1)),
            configuration: .init(mode: mode)
        )
    }
}
