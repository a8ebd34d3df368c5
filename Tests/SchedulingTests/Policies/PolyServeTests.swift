import Scheduling
import ServingModel
import Testing

@Suite("PolyServe")
struct PolyServeTests {
    private func objective(atgt: Int64, ttft: Int64 = 2000) -> ServiceLevelObjective {
        ServiceLevelObjective(timeToFirstToken: .milliseconds(ttft), averageTokenTime: .milliseconds(atgt))
    }

    @Test("The most loaded worker that still keeps the pace takes the query; then an idle one is opened")
    func gradient() throws {
        // Decode steps of 8 ms + 0.2 ms a query + 0.1 µs a token of context: 9 ms allow a handful of queries.
        var bench = try PolicyBench("polyserve")
        let places = try (1...12).map { try bench.place($0, tokens: 10, objective: objective(atgt: 9)) }
        #expect(places == places.sorted())
        #expect(Set(places) == [1, 2, 3])
        #expect(places.count { $0 == 1 } == 4)
    }

    @Test("If the query fits nowhere the least loaded worker takes it")
    func fallsBack() throws {
        var bench = try PolicyBench("polyserve")
        bench.run(1, on: 1, tokens: 500)
        bench.run(2, on: 2, tokens: 400)
        bench.run(3, on: 3, tokens: 600)
        #expect(try bench.place(4, objective: objective(atgt: 1)) == 2)
    }

    @Test("A worker whose queue would make the first token late is passed over")
    func timeToFirstToken() throws {
        var bench = try PolicyBench("polyserve")
        #expect(try bench.place(1, tokens: 120, objective: objective(atgt: 100)) == 1)
        // Age 5 ms, then 20 ms until the first query's prompt is in, then 18 ms.
        #expect(try bench.place(2, tokens: 100, objective: objective(atgt: 100, ttft: 42)) == 2)
        #expect(try bench.place(3, tokens: 100, objective: objective(atgt: 100, ttft: 44)) == 1)
    }

    @Test("Bins are kept apart; looser queries may use tighter workers, not the other way round")
    func bins() throws {
        var bench = try PolicyBench("polyserve")
        #expect(try bench.place(1, objective: objective(atgt: 50)) == 1)
        // Looser: no worker of its own yet, but a tighter one that has room.
        #expect(try bench.place(2, objective: objective(atgt: 100)) == 1)
        // Tighter than the first worker's bin: a worker of its own.
        #expect(try bench.place(3, objective: objective(atgt: 20)) == 2)
        // Back at its own bin before the tighter one.
        #expect(try bench.place(4, objective: objective(atgt: 50)) == 1)
        // A worker that has run empty belongs to no bin.
        bench.end(3)
        #expect(try bench.place(5, objective: objective(atgt: 20)) == 2)
    }

    @Test("A smaller share of the pace spreads the load")
    func pace() throws {
        func places(_ name: String) throws -> [UInt64] {
            var bench = try PolicyBench(name)
            return try (1...6).map { try bench.place($0, tokens: 10, objective: objective(atgt: 17)) }
        }
        #expect(try places("polyserve") == [1, 1, 1, 1, 1, 1])
        #expect(try places("polyserve:pace=0.5") == [1, 1, 2, 2, 3, 3])
    }
}
