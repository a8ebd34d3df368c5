import Foundation
import ServingModel
import Testing

@testable import Scheduling

@Suite("The demand to be ready for at any time")
struct DemandReserveTests {
    @Test("Nothing for what was foreseen, nor for what was so by half")
    func foreseen() {
        var reserve = DemandReserve()
        for second in 1...1000 {
            let demand = Double(second % 50)
            reserve.observe(demand: demand, foreseen: demand / 2)
            #expect(reserve.demand == 0)
        }
    }

    @Test("As much as bursts out of nothing bring, at once, and until an hour after the last")
    func bursts() {
        var reserve = DemandReserve()
        for _ in 0..<20 { reserve.observe(demand: 5, foreseen: 5) }
        reserve.observe(demand: 40, foreseen: 0)
        #expect((40...44).contains(reserve.demand))
        for _ in 1..<3600 {
            reserve.observe(demand: 0, foreseen: 0)
            #expect((40...44).contains(reserve.demand))
        }
        reserve.observe(demand: 0, foreseen: 0)
        #expect(reserve.demand == 0)
    }

    @Test("A burst that is less than a hundredth of all work is not kept workers for")
    func rare() {
        var reserve = DemandReserve()
        for _ in 0..<1500 { reserve.observe(demand: 10, foreseen: 10) }
        reserve.observe(demand: 100, foreseen: 10)
        #expect(reserve.demand == 0)
        reserve.observe(demand: 100, foreseen: 10)
        #expect((100...110).contains(reserve.demand))
    }

    @Test(
        "The least demand above which surprises are a hundredth of all work, as a plain search finds",
        arguments: 1...20
    )
    func search(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var reserve = DemandReserve()
        var seconds: [(demand: Double, isSurprise: Bool)] = []
        for _ in 0..<600 {
            let demand = exp(Double.random(in: -3...6, using: &generator))
            let isSurprise = Bool.random(using: &generator)
            seconds.append((demand, isSurprise))
            reserve.observe(demand: demand, foreseen: isSurprise ? demand * 0.49 : demand)
        }
        let count = seconds.count
        let weighted = seconds.enumerated().map { index, second in
            (second.demand, second.isSurprise, second.demand * exp2(Double(index - count) / 3600))
        }
        let total = weighted.reduce(0) { $0 + $1.2 }
        let surprises = weighted.filter(\.1).sorted { $0.0 > $1.0 }
        var beyond = 0.0
        let found = surprises.first {
            beyond += $0.2
            return beyond > 0.01 * total
        }
        // Told apart by eight steps an octave.
        let step = exp2(1.0 / 8)
        #expect(reserve.demand >= (found?.0 ?? 0) / step && reserve.demand <= (found?.0 ?? 0) * step)
    }

    @Test("Weights stay numbers over months")
    func long() {
        var reserve = DemandReserve()
        for second in 0..<3_000_000 {
            reserve.observe(demand: second % 600 < 10 ? 30 : 0, foreseen: 0)
        }
        #expect((30...33).contains(reserve.demand))
    }
}
