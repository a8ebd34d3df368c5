import ServingModel
import Simulation
import Testing

@Suite("Views of traces")
struct TraceViewsTests {
    private func entry(_ seconds: Int64, _ session: Int?, blocks: [UInt64] = []) -> Trace.Entry {
        let blocks = PromptBlocks(hashes: blocks, blockTokens: 5)
        return Trace.Entry(
            arrival: .seconds(seconds),
            inputTokens: 10,
            outputTokens: 5,
            session: session,
            blocks: blocks
        )
    }

    @Test("Conversations become scripts with the time that is left for thinking")
    func sessions() {
        let trace = Trace(entries: [
            entry(0, 7), entry(1, nil), entry(2, 8), entry(10, 7), entry(11, 7), entry(12, nil),
        ])
        let scripts = trace.sessions { .seconds(Int64($0.outputTokens) - 2) }
        #expect(scripts.map(\.session) == [7, nil, 8, nil])
        #expect(scripts.map(\.start) == [0, 1, 2, 12].map { .seconds($0) })
        #expect(scripts.map { $0.calls.map(\.index) } == [[0, 3, 4], [1], [2], [5]])
        // 10 s to the next query less 3 s of service; then 1 s less 3 s, which is no time.
        #expect(scripts[0].calls.map(\.thinkTime) == [.zero, .seconds(7), .zero])
        #expect(scripts[0].calls.map(\.entry) == [trace.entries[0], trace.entries[3], trace.entries[4]])
    }

    @Test("The agents' trace has 46 conversations, which hold every query once")
    func agents() throws {
        let trace = try TestData.trace("agent_swebench")
        let scripts = trace.sessions { _ in .zero }
        #expect(scripts.count == 46)
        #expect(scripts.flatMap { $0.calls.map(\.index) }.sorted() == Array(trace.entries.indices))
        #expect(scripts.allSatisfy { $0.calls.allSatisfy { $0.thinkTime >= .zero } })
    }

    @Test("Superposed traces keep their times, and their conversations and prefixes stay apart")
    func superposition() {
        let first = Trace(entries: [entry(0, 4, blocks: [1, 2]), entry(2, 5)])
        let second = Trace(entries: [entry(0, 4, blocks: [1, 2]), entry(1, 4, blocks: [1, 3]), entry(5, nil)])
        let both = Trace(superposing: [first, second, Trace(entries: [entry(3, 0)])])
        #expect(both.entries.map(\.arrival) == [0, 0, 1, 2, 3, 5].map { .seconds($0) })
        let sessions = both.entries.map(\.session)
        #expect(sessions == [4, 6, 6, 5, 7, nil])
        #expect(both.entries[0].blocks.hashes == [1, 2])
        #expect(both.entries[1].blocks.hashes[0] == both.entries[2].blocks.hashes[0])
        #expect(Set(both.entries.flatMap(\.blocks.hashes)).count == 5)
        #expect(abs(Trace(superposing: [first, first]).rate - 2 * first.rate) < 1e-9)
    }

    @Test("A session's prompts begin with each other until one is shorter; sessions share what is common")
    func sessionBlocks() {
        func call(_ session: Int?, _ tokens: Int) -> Trace.Entry {
            Trace.Entry(arrival: .zero, inputTokens: tokens, outputTokens: 1, session: session)
        }
        let trace = Trace(entries: [call(1, 25), call(2, 42), call(1, 37), call(nil, 50), call(1, 30), call(2, 9)])
        let chains = trace.withSessionBlocks(of: 10, commonTokens: 19).entries.map(\.blocks.hashes)
        #expect(chains.map(\.count) == [2, 4, 3, 0, 3, 0])
        #expect(Array(chains[2].prefix(2)) == chains[0])
        #expect(Set(chains[1]).intersection(chains[2]) == [chains[0][0]], "only what is common to all")
        #expect(Set(chains[4]).intersection(chains[2]) == [chains[0][0]], "a shorter prompt was begun anew")
        #expect(Set(chains.joined()).count == 1 + 2 + 3 + 2)
    }

    /// Rate, IAT CV, IDC at 1, 10 and 60 s, as published with the data; longest prompt and answer.
    struct Published: Sendable {
        var name: String
        var queries: Int
        var rate: Double
        var variation: Double
        var dispersion: [Double]
        var longest: [Int]
    }

    @Test(
        "Statistics of the public traces are those that were computed elsewhere",
        arguments: [
            Published(
                name: "azure2023_code",
                queries: 8819,
                rate: 2.567,
                variation: 13.15,
                dispersion: [13.19, 71.64, 163.96],
                longest: [7437, 1899]
            ),
            Published(
                name: "servegen_mmid_day",
                queries: 19899,
                rate: 0.230,
                variation: 1.36,
                dispersion: [1.13, 2.07, 7.15],
                longest: [40546, 7794]
            ),
            Published(
                name: "mooncake_synthetic",
                queries: 3993,
                rate: 3.907,
                variation: 1.01,
                dispersion: [1.09, 1.18, 1.19],
                longest: [191_378, 893]
            ),
        ]
    )
    func statistics(published: Published) throws {
        let statistics = try #require(TraceStatistics(TestData.trace(published.name)))
        #expect(statistics.queries == published.queries)
        #expect(abs(statistics.rate - published.rate) < 0.000501)
        #expect(abs(try #require(statistics.interArrivalVariation) - published.variation) < 0.00501)
        let (second, tenSeconds, minute) = statistics.dispersion
        for (own, other) in zip([second, tenSeconds, minute], published.dispersion) {
            #expect(abs(try #require(own) - other) < 0.00501)
        }
        #expect([statistics.input.max, statistics.output.max] == published.longest)
    }

    @Test("Statistics that a trace is too short for are left out")
    func shortTraces() throws {
        #expect(TraceStatistics(Trace(entries: [])) == nil)
        let single = try #require(TraceStatistics(Trace(entries: [entry(5, 1)])))
        #expect(single.rate == 0 && single.interArrivalVariation == nil && single.dispersion.oneSecond == nil)
        #expect(single.input.mean == 10 && single.input.median == 10 && single.output.p99 == 5)
        let regular = try #require(TraceStatistics(Trace(entries: (0...20).map { entry($0, nil) })))
        #expect(regular.interArrivalVariation == 0 && regular.dispersion.oneSecond == 0)
        #expect(regular.dispersion.tenSeconds == nil && regular.dispersion.minute == nil)
    }
}
