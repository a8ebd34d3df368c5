import Scheduling
import ServingModel
import Testing

@Suite("KV cost model")
struct KVCostModelTests {
    @Test("Waiting prompt tokens cost twice what contexts cost; the weight changes that")
    func cost() throws {
        var bench = try PolicyBench("kv-cost", workers: 2)
        bench.run(1, on: 1, tokens: 150)
        bench.load(2, on: 2, tokens: 100)
        #expect(try bench.place(3) == 1)
        var decode = try PolicyBench("kv-cost:prefill-weight=0", workers: 2)
        decode.run(1, on: 1, tokens: 150)
        decode.load(2, on: 2, tokens: 100)
        #expect(try decode.place(3) == 2)
    }

    @Test("What is cached need not be prefilled")
    func overlap() throws {
        var bench = try PolicyBench("kv-cost", workers: 2)
        let first = try bench.place(1, tokens: 400, blocks: [1, 2, 3, 4])
        bench.step(first, 1)
        // 400 + 400 there against 400 + 400 on the empty one, but all of it is cached.
        #expect(try bench.place(2, tokens: 402, blocks: [1, 2, 3, 4]) == first)
        #expect(try bench.sawPrefixes())
    }

    @Test("Ties are broken by the seed alone, and the temperature spreads")
    func randomness() throws {
        func places(_ name: String, seed: UInt64) throws -> [UInt64] {
            var bench = try PolicyBench(name, seed: seed, workers: 4)
            return try (1...60).map { try bench.place($0, tokens: 50) }
        }
        #expect(try places("kv-cost", seed: 1) == places("kv-cost", seed: 1))
        #expect(try places("kv-cost", seed: 1) != places("kv-cost", seed: 2))
        // Cold, the cost decides: after four equal queries each worker has one.
        #expect(try Set(places("kv-cost", seed: 1).prefix(4)) == [1, 2, 3, 4])
        let warm = try places("kv-cost:temperature=10", seed: 1)
        #expect(try warm == places("kv-cost:temperature=10", seed: 1))
        #expect(Set(warm) == [1, 2, 3, 4])
        #expect(try warm != places("kv-cost", seed: 1))
    }

    @Test("Without prefixes it says that it saw none")
    func withoutPrefixes() throws {
        var bench = try PolicyBench("kv-cost")
        _ = try bench.place(1)
        #expect(try !bench.sawPrefixes())
    }
}
