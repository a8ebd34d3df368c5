import Scheduling
import ServingModel
import Testing

@Suite("Weighted scores")
struct WeightedScoresTests {
    @Test("Prompts that no worker has seen go round, the longest unused first")
    func leastRecentlyUsed() throws {
        var bench = try PolicyBench("weighted:queue=0:kv=0")
        #expect(try (1...7).map { try bench.place($0) } == [1, 2, 3, 1, 2, 3, 1])
        #expect(try !bench.sawPrefixes())
    }

    @Test("A known beginning outweighs the rest as long as the weights say so")
    func prefix() throws {
        var bench = try PolicyBench("weighted:kv=0:no-hit=0:queue=2")
        let first = try bench.place(1, blocks: [1, 2, 3, 4])
        #expect(try bench.place(2, blocks: [1, 2, 3, 4]) == first)
        // Half a match, 1.5, no longer makes up for the longest queue, 2.
        #expect(try bench.place(3, blocks: [1, 2, 8, 9]) != first)
        #expect(try bench.sawPrefixes())
    }

    @Test("The shortest queue and the emptiest KV cache score highest")
    func load() throws {
        var queues = try PolicyBench("weighted:kv=0:no-hit=0")
        queues.load(1, on: 1)
        queues.load(2, on: 3)
        #expect(try queues.place(3) == 2)
        var memory = try PolicyBench("weighted:queue=0:no-hit=0")
        memory.run(1, on: 1, tokens: 500)
        memory.run(2, on: 2, tokens: 400)
        memory.run(3, on: 3, tokens: 600)
        #expect(try memory.place(4) == 2)
    }

    @Test("A worker that can't hold the query is filtered out if another can")
    func filter() throws {
        var small = LatencyProfile.sample()
        small.kvCache.capacityTokens = 200
        var scheduler = Scheduler(policy: try PolicyCatalog.make("weighted", seed: 1))
        scheduler.apply([.joined(1, profile: small), .joined(2), .snapshotComplete], at: .zero)
        for number: UInt64 in 1...5 {
            scheduler.apply(.queued(number, inputTokens: 300), at: .zero)
            #expect(scheduler.decide(at: .zero).placements.map(\.worker) == [WorkerID(2)])
        }
    }

    @Test("Ties are broken by the seed alone")
    func randomness() throws {
        func places(seed: UInt64) throws -> [UInt64] {
            var bench = try PolicyBench("weighted:no-hit=0:kv=0", seed: seed, workers: 4)
            return try (1...40).map { try bench.place($0) }
        }
        #expect(try places(seed: 1) == places(seed: 1))
        #expect(try places(seed: 1) != places(seed: 2))
    }
}
