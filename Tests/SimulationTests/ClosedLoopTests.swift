import Batching
import ServingModel
import Simulation
import Testing

@Suite("Conversations as closed loops")
struct ClosedLoopTests {
    private func entry(_ seconds: Int64, session: Int?) -> Trace.Entry {
        Trace.Entry(arrival: .seconds(seconds), inputTokens: 10, outputTokens: 5, session: session)
    }

    private func queries() -> [SimulatedQuery] {
        let trace = Trace(entries: [
            entry(0, session: 7), entry(1, session: nil), entry(2, session: 7), entry(3, session: 8),
            entry(5, session: 7),
        ])
        return SimulatedQuery.closedLoop(trace.sessions { _ in .milliseconds(500) }) { _ in .standard }
    }

    @Test("Queries follow one another by think times", arguments: BatchingMode.allCases)
    func thinkTimes(mode: BatchingMode) throws {
        let queries = queries()
        #expect(queries.map(\.predecessor?.query) == [nil, nil, 0, nil, 2])
        let records = try SmallCluster.replay(queries, .init(mode: mode))
        #expect(records.allSatisfy { $0.finish != nil })
        #expect(records[1].arrival == .zero + .seconds(1) && records[3].arrival == .zero + .seconds(3))
        #expect(records[2].arrival == records[0].finish.map { $0 + .milliseconds(1500) })
        #expect(records[4].arrival == records[2].finish.map { $0 + .milliseconds(2500) })
    }

    @Test("Without think time the next query comes in the very instant of the answer's end")
    func noThinkTime() throws {
        let queries = (0..<3).map {
            SimulatedQuery(
                arrival: .zero,
                inputTokens: 10,
                outputTokens: 1,
                predecessor: $0 == 0 ? nil : .init(query: $0 - 1, thinkTime: .zero)
            )
        }
        let records = try SmallCluster.replay(queries, .init(mode: .prefillPriority))
        #expect(records.map(\.finish?.nanoseconds) == [4_700_000, 9_400_000, 14_100_000])
    }

    @Test("A refused query does not end its conversation")
    func refusal() throws {
        let queries = [
            SimulatedQuery(arrival: .zero, inputTokens: 300, outputTokens: 1),
            SimulatedQuery(
                arrival: .zero,
                inputTokens: 10,
                outputTokens: 1,
                predecessor: .init(query: 0, thinkTime: .milliseconds(1))
            ),
        ]
        let records = try SmallCluster.replay(queries, .init(mode: .prefillPriority))
        #expect(records[0].isRefused && records[1].arrival == .zero + .milliseconds(1) && records[1].finish != nil)
    }
}
