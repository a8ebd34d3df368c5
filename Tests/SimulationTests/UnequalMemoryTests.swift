import Batching
import Scheduling
import ServingModel
import Simulation
import Testing

@Suite("Workers with unequal KV caches")
struct UnequalMemoryTests {
    private static let small = 2048

    private func profile(kvTokens: Int) -> LatencyProfile {
        var profile = SmallCluster.profile
        profile.kvCache.capacityTokens = kvTokens
        profile.decode.k2Milliseconds = 0.0002
        profile.limits.maximumSequences = 64
        profile.limits.maximumBatchedTokens = 8192
        return profile
    }

    /// Three workers of 2,048 tokens, and one of 32,768.
    private var pool: [LatencyProfile] {
        Array(repeating: profile(kvTokens: Self.small), count: 3) + [profile(kvTokens: 32_768)]
    }

    private let large = 3

    private func records(
        _ queries: [SimulatedQuery],
        on profiles: [LatencyProfile],
        policy: String,
        known: [Int],
        mode: BatchingMode = .prefillPriority
    ) throws -> [QueryRecord] {
        var lengths = LengthHistory()
        for length in known { lengths.observe(outputTokens: length, model: "m", inputTokens: 100) }
        var simulation = ClusterSimulation(
            profiles: profiles,
            queries: queries,
            scheduler: Scheduler(policy: try PolicyCatalog.make(policy, seed: 1), lengths: lengths),
            configuration: ClusterSimulation.Configuration(mode: mode)
        )
        var instants = 0
        while simulation.advance() {
            instants += 1
            if instants.isMultiple(of: 64) { simulation.checkInvariants() }
        }
        simulation.checkInvariants()
        return simulation.records
    }

    @Test("Queries go by how long answers are, not by how long they might become", arguments: BatchingMode.allCases)
    func smallWorkersServe(mode: BatchingMode) throws {
        let objective = ServiceLevelObjective(timeToFirstToken: .seconds(2), averageTokenTime: .milliseconds(40))
        let queries = (0..<300).map { index in
            SimulatedQuery(
                arrival: .zero + .milliseconds(Int64(index) * 30),
                inputTokens: 50 + index % 100,
                outputTokens: 20 + index * 7 % 80,
                objective: objective
            )
        }
        let known = (0..<1000).map { 20 + $0 % 80 }
        let records = try records(queries, on: pool, policy: "aladdin", known: known, mode: mode)
        let onSmall = records.count { $0.worker != large }
        // Three of four workers are small; each may be asked for answers of 30,000 tokens.
        #expect(onSmall > queries.count / 2, "\(onSmall) of \(queries.count)")
        let met = zip(queries, records).count { $0.isMet(by: $1) }
        #expect(met > queries.count * 98 / 100, "\(met) of \(queries.count)")
    }

    @Test("Answers that tend to outgrow a small worker go to the large one")
    func longAnswers() throws {
        let queries = (0..<8).map { index in
            SimulatedQuery(arrival: .zero + .seconds(Int64(index) * 3), inputTokens: 100, outputTokens: 3000)
        }
        let known = (0..<1000).map { 2900 + $0 % 200 }
        let records = try records(queries, on: pool, policy: "aladdin", known: known)
        let wellPlaced = records.count { $0.worker == large && $0.attempts == 1 && $0.finish != nil }
        #expect(wellPlaced == queries.count)
    }

    @Test("A query that outgrows its worker goes on at a larger one with what it has", arguments: BatchingMode.allCases)
    func outgrowing(mode: BatchingMode) throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 100, outputTokens: 4000)
        // Round-robin begins with the small one.
        let pool = [profile(kvTokens: Self.small), profile(kvTokens: 32_768)]
        let record = try records([query], on: pool, policy: "round-robin", known: [], mode: mode)[0]
        #expect(record.worker == 1 && record.attempts == 2 && record.finish != nil)
        let alone = try records([query], on: [pool[1]], policy: "round-robin", known: [], mode: mode)[0]
        #expect(record.firstToken == alone.firstToken)
        let finish = try #require(record.finish)
        let undisturbed = try #require(alone.finish)
        // It loses the prefill of 2,048 tokens, and no token: 4,000 steps of at least 5 ms each are 20 s.
        #expect(finish > undisturbed && finish < undisturbed + .seconds(1), "\(finish) after \(undisturbed)")
    }

    @Test("Where no worker is larger it is refused")
    func nowhere() throws {
        let query = SimulatedQuery(arrival: .zero, inputTokens: 100, outputTokens: 4000)
        let small = profile(kvTokens: Self.small)
        for workers in [1, 2] {
            let pool = Array(repeating: small, count: workers)
            let record = try records([query], on: pool, policy: "round-robin", known: [])[0]
            #expect(record.isRefused && record.finish == nil && record.attempts == 1)
        }
    }
}
