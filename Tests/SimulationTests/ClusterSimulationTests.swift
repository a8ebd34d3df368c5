import Batching
import RecordTables
import Scheduling
import ServingModel
import Simulation
import Testing

@Suite("Simulating a cluster")
struct ClusterSimulationTests {
    @Test("Planned finishes fall where counting every token puts them", arguments: BatchingMode.allCases, 0..<12)
    func agreesWithCountingTokens(mode: BatchingMode, seed: Int) throws {
        let queries = SmallCluster.trace(seed: seed)
        let records = try SmallCluster.replay(queries, .init(mode: mode))
        #expect(records == TokenCounter(profile: SmallCluster.profile, mode: mode).replay(queries))
    }

    @Test("Knees bend the times of steps as the worker model says", arguments: BatchingMode.allCases, 0..<6)
    func knees(mode: BatchingMode, seed: Int) throws {
        var bent = SmallCluster.profile
        bent.prefill.kneeTokens = 35
        bent.prefill.k1AboveKneeMilliseconds = seed.isMultiple(of: 2) ? 0.111 : -0.05
        bent.decode.kneeSequences = 4
        bent.decode.c2AboveKneeMilliseconds = seed.isMultiple(of: 3) ? 0.7 : -0.2
        let queries = SmallCluster.trace(seed: seed + 40)
        var simulation = ClusterSimulation(
            profiles: [bent],
            queries: queries,
            scheduler: Scheduler(policy: try PolicyCatalog.make("round-robin", seed: 1)),
            configuration: .init(mode: mode)
        )
        simulation.run()
        let twin = TokenCounter(profile: bent, mode: mode, duration: NaiveLatency.duration).replay(queries)
        #expect(simulation.records == twin)
        // The knees are of consequence.
        #expect(twin != TokenCounter(profile: SmallCluster.profile, mode: mode).replay(queries))
    }

    @Test("Every query finishes, in a time that makes sense", arguments: BatchingMode.allCases)
    func everyQueryFinishes(mode: BatchingMode) throws {
        let queries = SmallCluster.trace(seed: 99, count: 300)
        let records = try SmallCluster.replay(queries, workers: 3, policy: "jsq", .init(mode: mode))
        #expect(records.reduce(0) { $0 + $1.preemptions } > 0)
        for (query, record) in zip(queries, records) {
            let first = try #require(record.firstToken)
            let finish = try #require(record.finish)
            #expect(record.arrival == query.arrival && record.dispatched == query.arrival)
            #expect(first - query.arrival >= .milliseconds(3))
            #expect((finish - first).nanoseconds >= Int64(query.outputTokens - 1) * 3_000_000)
        }
    }

    @Test("A dispatch delay passes before a query joins its queue")
    func dispatchDelay() throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 1)
        let configuration = ClusterSimulation.Configuration(mode: .prefillPriority, dispatchDelay: .milliseconds(2))
        let delayed = try SmallCluster.replay([query], configuration)
        #expect(delayed[0].dispatched == .zero)
        #expect(delayed[0].firstToken == Instant(nanoseconds: 6_700_000))
    }

    @Test("An arrival at the very end of a step is part of the next one")
    func arrivalAtBoundary() throws {
        let boundary = Instant(nanoseconds: 4_700_000)
        let queries = [
            SimulatedQuery(arrival: .zero, inputTokens: 10, outputTokens: 5),
            SimulatedQuery(arrival: boundary, inputTokens: 10, outputTokens: 1),
        ]
        let records = try SmallCluster.replay(queries, .init(mode: .prefillPriority))
        #expect(records[0].firstToken == boundary)
        #expect(records[1].firstToken == boundary + Interval(nanoseconds: 4_700_000))
    }

    @Test("A policy may hold queries and place them later, at an event or at the instant it named")
    func holds() {
        let queries = [0, 1, 10, 50].map {
            SimulatedQuery(arrival: .zero + .milliseconds($0), inputTokens: 10, outputTokens: 1)
        }
        var simulation = ClusterSimulation(
            profiles: [SmallCluster.profile],
            queries: queries,
            scheduler: Scheduler(policy: HoldUntilThree()),
            configuration: .init(mode: .prefillPriority)
        )
        while simulation.advance() { simulation.checkInvariants() }
        let placed = simulation.records.map(\.dispatched)
        #expect(placed == [10, 10, 10, 55].map { Instant.zero + .milliseconds($0) })
        #expect(simulation.records.allSatisfy { $0.finish != nil })
    }

    @Test("What fits no worker is refused, and the others go on")
    func refusesWhatNeverFits() throws {
        let queries = [200, 10].map { SimulatedQuery(arrival: .zero, inputTokens: $0, outputTokens: 100) }
        let records = try SmallCluster.replay(queries, .init(mode: .chunked))
        #expect(records[0].isRefused && records[0].finish == nil && records[0].worker == nil)
        #expect(!records[1].isRefused && records[1].finish != nil)
    }

    /// Places when three are held, or 5 ms after it was first asked about what is left.
    private struct HoldUntilThree: PlacementPolicy {
        private var limit: Instant?

        mutating func decide(in view: inout ClusterView, at now: Instant) -> Decision {
            let due = limit ?? now + .milliseconds(view.unplaced.count == 1 && now > .zero ? 5 : 1000)
            limit = due
            guard view.unplaced.count == 3 || due <= now else { return Decision(lookAgain: due) }
            limit = nil
            var decision = Decision()
            for entry in view.unplaced {
                guard let query = view.queries[entry.number] else { continue }
                decision.placements.append(view.placement(of: query, onSlot: 0, at: now))
                view.place(entry.number, onSlot: 0, at: now)
            }
            return decision
        }
    }
}
