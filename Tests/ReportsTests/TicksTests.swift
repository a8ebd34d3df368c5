import Testing

@testable import Reports

@Suite("Ticks")
struct TicksTests {
    @Test("Linear ticks are multiples of 1, 2 or 5, with as many decimals as they need")
    func linear() {
        #expect(labels(.linear(0...1, .number, atMost: 6)) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels(.linear(16...40, .count, atMost: 6)) == ["20", "25", "30", "35", "40"])
        #expect(labels(.linear(-3...3, .number, atMost: 4)) == ["−2", "0", "2"])
        #expect(labels(.linear(0...3, .count, atMost: 10)) == ["0", "1", "2", "3"])
        #expect(labels(.linear(0...1, .fraction, atMost: 3)) == ["0\u{A0}%", "50\u{A0}%", "100\u{A0}%"])
    }

    @Test("The axis chooses one unit for all of its ticks")
    func units() {
        let day = Ticks.linear(0...86_400, .seconds, atMost: 7)
        #expect(day.unit == "h")
        #expect(labels(day) == ["0", "4", "8", "12", "16", "20", "24"])
        let hour = Ticks.linear(0...3600, .seconds, atMost: 5)
        #expect(hour.unit == "min")
        #expect(labels(hour) == ["0", "15", "30", "45", "60"])
        #expect(labels(.linear(0...0.05, .seconds, atMost: 6)) == ["0", "10", "20", "30", "40", "50"])
        #expect(Ticks.linear(0...0.05, .seconds, atMost: 6).unit == "ms")
        #expect(Ticks.linear(0...5e6, .unit("tokens"), atMost: 6).unit == "million\u{A0}tokens")
    }

    @Test("Logarithmic ticks are powers of ten, with 2 and 5 where there is room")
    func logarithmic() {
        #expect(Ticks.logarithmic(1...100, .number, atMost: 7).ticks.map(\.value) == [1, 2, 5, 10, 20, 50, 100])
        #expect(Ticks.logarithmic(1...100, .number, atMost: 5).ticks.map(\.value) == [1, 3, 10, 30, 100])
        #expect(Ticks.logarithmic(1...100, .number, atMost: 4).ticks.map(\.value) == [1, 10, 100])
        #expect(labels(.logarithmic(0.01...10, .seconds, atMost: 4)).last == "10\u{A0}s")
        #expect(Ticks.logarithmic(1e-30...1e30, .number, atMost: 5).ticks.count == 5)
        #expect(Ticks.logarithmic(3.1...3.9, .number, atMost: 5).ticks.count >= 2)
    }

    @Test("Ticks of nines are equally far apart")
    func nines() {
        #expect(labels(.nines(0...0.9995, atMost: 10)).last == "99.9\u{A0}%")
        #expect(Ticks.nines(0...0.9995, atMost: 5).ticks.map(\.value) == [0, 0.9, 0.99, 0.999])
    }

    @Test(
        "There are never more than asked for, and all lie within the range",
        arguments: [0.001...0.0011, 0...1, -1e9...1e9, 1e-300...2e-300, 1e15...1.000_001e15, 0...1e300, 5...5.1]
    )
    func bounds(range: ClosedRange<Double>) {
        for count in 1...12 {
            let ticks = Ticks.linear(range, .number, atMost: count).ticks
            #expect(ticks.count <= count + 1)
            let margin = (range.upperBound - range.lowerBound) * 1e-6
            #expect(ticks.allSatisfy { $0.value >= range.lowerBound - margin && $0.value <= range.upperBound + margin })
        }
    }

    @Test("Round numbers enclose")
    func rounds() {
        #expect([1, 1.1, 2, 4.9, 9.9].map(Ticks.round(below:)) == [1, 1, 2, 2, 5])
        #expect([1, 1.1, 2, 4.9, 9.9].map(Ticks.round(above:)) == [1, 2, 2, 5, 10])
    }

    private func labels(_ ticks: Ticks) -> [String] {
        ticks.ticks.map(\.label)
    }
}
