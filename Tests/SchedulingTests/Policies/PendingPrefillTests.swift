import Scheduling
import Testing

@Suite("Pending prefill, then KV")
struct PendingPrefillTests {
    @Test("Prompt tokens that wait come first, whatever runs")
    func prefill() throws {
        var bench = try PolicyBench("pending-prefill")
        bench.load(1, on: 1, tokens: 20)
        bench.load(2, on: 2, tokens: 10)
        bench.run(3, on: 3, tokens: 900)
        #expect(try bench.place(4, tokens: 30) == 3)
        #expect(try bench.place(5) == 2)
    }

    @Test("KV cache in use decides between equals, and the order of the workers after that")
    func memory() throws {
        var bench = try PolicyBench("pending-prefill")
        #expect(try bench.place(1) == 1)
        bench.step(1, 1)
        #expect(try bench.place(2, tokens: 50) == 2)
        bench.run(3, on: 3, tokens: 80)
        bench.step(2, 2)
        #expect(try bench.place(4) == 2)
    }
}
