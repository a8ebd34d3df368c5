import Scheduling
import ServingModel
import Testing

@Suite("Cache-aware routing")
struct CacheAwareTests {
    @Test("A prompt goes where its beginning went, though others have less to do")
    func affinity() throws {
        var bench = try PolicyBench("cache-aware")
        #expect(try bench.place(1, blocks: [1, 2, 3]) == 1)
        #expect(try bench.place(2, blocks: [1, 2, 3, 4]) == 1)
        #expect(try bench.place(3, blocks: [8, 9]) == 2)
        #expect(try bench.place(4, blocks: [1, 2]) == 1)
        #expect(try bench.sawPrefixes())
    }

    @Test("A match at or below the threshold does not count")
    func threshold() throws {
        var bench = try PolicyBench("cache-aware:match=0.5")
        #expect(try bench.place(1, blocks: [1, 2]) == 1)
        #expect(try bench.place(2, blocks: [1, 2, 3, 4]) == 2)
        #expect(try bench.place(3, blocks: [1, 2, 5]) == 2)
    }

    @Test("Loads that are uneven by both thresholds override the match")
    func balance() throws {
        var bench = try PolicyBench("cache-aware:balance-abs=2:balance-rel=1.5")
        #expect(try bench.place(1, blocks: [1]) == 1)
        #expect(try bench.place(2, blocks: [1]) == 1)
        bench.load(3, on: 1)
        #expect(try bench.place(4, blocks: [1]) == 2)
        // The absolute threshold alone does not: 6 against 3 of at least 2 each.
        for number: UInt64 in 10..<20 { bench.load(number, on: number % 3 + 1) }
        var even = try PolicyBench("cache-aware:balance-abs=2:balance-rel=3")
        #expect(try even.place(1, blocks: [1]) == 1)
        for number: UInt64 in 10..<16 { even.load(number, on: number % 3 + 1) }
        for number: UInt64 in 20..<22 { even.load(number, on: 1) }
        #expect(try even.place(4, blocks: [1]) == 1)
    }

    @Test("Without prefixes it joins the shortest queue, and says that it saw none")
    func withoutPrefixes() throws {
        var bench = try PolicyBench("cache-aware")
        var queue = try PolicyBench("jsq")
        for number: UInt64 in 1...40 {
            #expect(try bench.place(number) == queue.place(number))
            if number % 3 == 0 {
                bench.end(number - 1)
                queue.end(number - 1)
            }
        }
        #expect(try !bench.sawPrefixes())
    }

    @Test("The older rule sends what matches nothing to the worker that was sent the least")
    func smallestTree() throws {
        var bench = try PolicyBench("cache-aware:smallest-tree=on", workers: 2)
        #expect(try bench.place(1, tokens: 900) == 1)
        bench.end(1)
        #expect(try bench.place(2, tokens: 100) == 2)
        #expect(try bench.place(3, tokens: 100) == 2)
    }

    @Test("A match on a worker that takes no more queries does not count")
    func draining() throws {
        var bench = try PolicyBench("cache-aware")
        #expect(try bench.place(1, blocks: [1, 2]) == 1)
        bench.leave(1)
        #expect(try bench.place(2, blocks: [1, 2]) == 2)
    }
}
