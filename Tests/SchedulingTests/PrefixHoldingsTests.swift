import ServingModel
import Testing

@testable import Scheduling

@Suite("Which workers hold which beginnings")
struct PrefixHoldingsTests {
    @Test("The longest match comes first, of equals the latest; others follow by what they hold")
    func longest() {
        var holdings = PrefixHoldings()
        for worker: UInt64 in 1...4 { holdings.add(WorkerID(worker), capacityTokens: 1000) }
        holdings.use([1, 2, 3, 4], blockTokens: 10, on: WorkerID(1))
        holdings.use([1, 2], blockTokens: 10, on: WorkerID(2))
        holdings.use([1, 2, 3, 9], blockTokens: 10, on: WorkerID(3))
        let matches = holdings.longest([1, 2, 3, 4, 5], count: 3)
        #expect(matches.map(\.worker) == [WorkerID(1), WorkerID(3), WorkerID(2)])
        #expect(matches.map(\.blocks) == [4, 3, 2])
        #expect(holdings.longest([1, 2, 3, 9], count: 1).map(\.worker) == [WorkerID(3)])
        #expect(holdings.longest([7], count: 3).isEmpty && holdings.longest([], count: 3).isEmpty)
        holdings.remove(WorkerID(1))
        #expect(holdings.longest([1, 2, 3, 4, 5], count: 1).map(\.worker) == [WorkerID(3)])
    }

    @Test("A worker is believed to hold no more than most of its KV cache")
    func capacity() {
        var holdings = PrefixHoldings()
        holdings.add(WorkerID(1), capacityTokens: 100)
        holdings.use([1, 2, 3, 4], blockTokens: 10, on: WorkerID(1))
        holdings.use([11, 12, 13, 14, 15, 16], blockTokens: 10, on: WorkerID(1))
        #expect(holdings.blocks(of: [1, 2, 3, 4], on: WorkerID(1)) == 2)
        #expect(holdings.blocks(of: [11, 12, 13, 14, 15, 16], on: WorkerID(1)) == 6)
        #expect(holdings.blocks(of: [1], on: WorkerID(2)) == 0)
    }

    @Test("Random use: matches agree with each worker's own cache", arguments: 1...10 as ClosedRange<UInt64>)
    func agreement(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var holdings = PrefixHoldings()
        var present: Set<UInt64> = []
        for round in 0..<500 {
            let worker = UInt64.random(in: 1...6, using: &generator)
            if present.insert(worker).inserted { holdings.add(WorkerID(worker), capacityTokens: 600) }
            if round.isMultiple(of: 97) {
                holdings.remove(WorkerID(worker))
                present.remove(worker)
            }
            var hash: UInt64 = 1
            let chain = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                hash = hash * 5 + UInt64.random(in: 0..<3, using: &generator)
                return hash
            }
            let expected = present.map { holdings.blocks(of: chain, on: WorkerID($0)) }.filter { $0 > 0 }
            let matches = holdings.longest(chain, count: 3)
            #expect(matches.map(\.blocks) == Array(expected.sorted(by: >).prefix(3)))
            #expect(matches.allSatisfy { holdings.blocks(of: chain, on: $0.worker) == $0.blocks })
            if present.contains(worker) { holdings.use(chain, blockTokens: 16, on: WorkerID(worker)) }
        }
    }
}
