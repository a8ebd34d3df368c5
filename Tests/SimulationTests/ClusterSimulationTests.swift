import Batching
import ServingModel
import Simulation
import Testing

@Suite("Simulating a cluster")
struct ClusterSimulationTests {
    /// 256 tokens of KV memory, and steps of a few milliseconds.
    private var profile: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.c1Milliseconds = 3
        profile.prefill.k1Milliseconds = 0.17
        profile.decode.c3Milliseconds = 5
        profile.decode.c2Milliseconds = 0.31
        profile.decode.k2Milliseconds = 0.0123
        profile.kvCache.capacityTokens = 256
        profile.limits.maximumSequences = 12
        profile.limits.chunkTokens = 40
        return profile
    }

    private func trace(seed: Int, count: Int = 60, longest: Int = 100) -> [SimulatedQuery] {
        var generator = SeededGenerator(seed: UInt64(seed))
        var arrival = Instant.zero
        return (0..<count).map { _ in
            if Bool.random(using: &generator) {
                arrival = arrival + .milliseconds(Int64.random(in: 0...60, using: &generator))
            }
            return SimulatedQuery(
                arrival: arrival,
                inputTokens: Int.random(in: 1...longest, using: &generator),
                outputTokens: Int.random(in: 1...longest, using: &generator)
            )
        }
    }

    private func simulate(
        _ mode: BatchingMode,
        _ queries: [SimulatedQuery],
        workers: Int = 1,
        policy: some DispatchPolicy = RoundRobin(),
        delay: Interval = .zero
    ) -> [QueryRecord] {
        var simulation = ClusterSimulation(
            profiles: Array(repeating: profile, count: workers),
            mode: mode,
            queries: queries,
            policy: policy,
            dispatchDelay: delay
        )
        while simulation.advance() { simulation.checkInvariants() }
        return simulation.records
    }

    @Test("Planned finishes fall where counting every token puts them", arguments: BatchingMode.allCases, 0..<12)
    func agreesWithCountingTokens(mode: BatchingMode, seed: Int) {
        let queries = trace(seed: seed)
        let records = simulate(mode, queries)
        #expect(records == TokenCounter(profile: profile, mode: mode).replay(queries))
    }

    @Test("Every query finishes, in a time that makes sense", arguments: BatchingMode.allCases)
    func everyQueryFinishes(mode: BatchingMode) throws {
        let queries = trace(seed: 99, count: 300)
        let records = simulate(mode, queries, workers: 3, policy: JoinShortestQueue())
        #expect(records.reduce(0) { $0 + $1.preemptions } > 0)
        for (query, record) in zip(queries, records) {
            let first = try #require(record.firstToken)
            let finish = try #require(record.finish)
            #expect(record.dispatched == query.arrival)
            #expect(first - query.arrival >= .milliseconds(3))
            #expect((finish - first).nanoseconds >= Int64(query.outputTokens - 1) * 3_000_000)
        }
    }

    @Test("A run is reproduced to the nanosecond", arguments: BatchingMode.allCases)
    func isReproducible(mode: BatchingMode) {
        let queries = trace(seed: 5, count: 200)
        let first = simulate(mode, queries, workers: 2, policy: JoinShortestQueue())
        #expect(simulate(mode, queries, workers: 2, policy: JoinShortestQueue()) == first)
    }

    @Test("A dispatch delay passes before a query joins its queue")
    func dispatchDelay() throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 1)
        let delayed = simulate(.prefillPriority, [query], delay: .milliseconds(2))
        #expect(delayed[0].dispatched == .zero)
        #expect(delayed[0].firstToken == Instant(nanoseconds: 6_700_000))
    }

    @Test("An arrival at the very end of a step is part of the next one")
    func arrivalAtBoundary() {
        let boundary = Instant(nanoseconds: 4_700_000)
        let queries = [
            SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 5),
            SimulatedQuery(arrival: boundary, inputTokens: 10, outputTokens: 1),
        ]
        let records = simulate(.prefillPriority, queries)
        #expect(records[0].firstToken == boundary)
        #expect(records[1].firstToken == boundary + Interval(nanoseconds: 4_700_000))
    }

    @Test("A policy may hold queries and place them later")
    func holds() {
        let queries = [0, 1, 10].map {
            SimulatedQuery(arrival: .zero + .milliseconds($0), inputTokens: 10, outputTokens: 1)
        }
        let records = simulate(.prefillPriority, queries, policy: HoldUntilThree())
        #expect(records.map(\.dispatched) == Array(repeating: Instant.zero + .milliseconds(10), count: 3))
        #expect(records.allSatisfy { $0.finish != nil })
    }

    /// Places nothing before the third query has come, then everything.
    private struct HoldUntilThree: DispatchPolicy {
        var held: [Int] = []

        mutating func place(_ query: Int, at now: Instant, fleet: FleetState) -> Int? {
            held.append(query)
            return nil
        }

        mutating func placeHeld(at now: Instant, fleet: FleetState) -> [(query: Int, worker: Int)] {
            guard held.count == 3 else { return [] }
            defer { held = [] }
            return held.map { ($0, 0) }
        }
    }
}
