import Batching
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
            let records =
                switch expectation.policy {
                case "round-robin": replay(golden, mode, RoundRobin())
                case "jsq": replay(golden, mode, JoinShortestQueue())
                default: throw UnknownPolicy(name: expectation.policy)
                }
            #expect(records.map(GoldenCase.Outcome.init) == expectation.queries, "\(mode), \(expectation.policy)")
            #expect(records.reduce(0) { $0 + $1.preemptions } == expectation.preemptions)
        }
    }

    @Test("The invariants hold after every instant", arguments: names, modes)
    func invariantsHold(name: String, mode: BatchingMode) throws {
        let golden = try GoldenCase.load(name)
        var simulation = ClusterSimulation(
            profiles: Array(repeating: golden.profile, count: golden.workers),
            mode: mode,
            queries: golden.trace,
            policy: JoinShortestQueue()
        )
        while simulation.advance() { simulation.checkInvariants() }
        #expect(simulation.workers.allSatisfy { $0.batch.isEmpty && $0.batch.blocks.free == $0.batch.blocks.total })
    }

    private func replay(
        _ golden: GoldenCase,
        _ mode: BatchingMode,
        _ policy: some DispatchPolicy
    ) -> [QueryRecord] {
        var simulation = ClusterSimulation(
            profiles: Array(repeating: golden.profile, count: golden.workers),
            mode: mode,
            queries: golden.trace,
            policy: policy
        )
        simulation.run()
        return simulation.records
    }

    private struct UnknownPolicy: Error {
        var name: String
    }
}
