import Scheduling
import ServingModel
import Testing

@Suite("Noticing a change of level")
struct ChangeDetectorTests {
    /// A Poisson count, by multiplying uniforms (Knuth); e to the power of −mean is given.
    private func count(_ limit: Double, _ generator: inout SeededGenerator) -> Double {
        var product = Double.random(in: 0...1, using: &generator)
        var count = 0.0
        while product > limit {
            product *= Double.random(in: 0...1, using: &generator)
            count += 1
        }
        return count
    }

    private let limit20 = 2.061_153_6e-9
    private let limit30 = 9.357_623e-14
    private let limit12 = 6.144_212e-6

    @Test("A steady Poisson series raises next to no alarms")
    func falseAlarms() {
        var generator = SeededGenerator(seed: 1)
        var detector = ChangeDetector(dispersion: 1)
        var alarms = 0
        for _ in 0..<20_000 where detector.observe(count(limit20, &generator)) != nil { alarms += 1 }
        #expect(alarms <= 8)
        #expect(abs((detector.level ?? 0) - 20) < 1.5)
    }

    @Test("A rise and a fall are noticed soon, in their direction, and the level follows")
    func changes() throws {
        var generator = SeededGenerator(seed: 2)
        var detector = ChangeDetector(dispersion: 1)
        for _ in 0..<200 { _ = detector.observe(count(limit20, &generator)) }
        func ticksUntil(_ change: ChangeDetector.Change, limit: Double) -> Int {
            for tick in 1...100 where detector.observe(count(limit, &generator)) == change { return tick }
            return .max
        }
        #expect(ticksUntil(.rise, limit: limit30) < 15)
        #expect(abs((detector.level ?? 0) - 30) < 4)
        for _ in 0..<100 { _ = detector.observe(count(limit30, &generator)) }
        #expect(ticksUntil(.fall, limit: limit12) < 10)
        #expect(abs((detector.level ?? 0) - 12) < 5)
    }

    @Test("A single outlier is not a change, nor is a value that is no number")
    func outlier() {
        var generator = SeededGenerator(seed: 3)
        var detector = ChangeDetector()
        for _ in 0..<200 { _ = detector.observe(Double.random(in: 90...110, using: &generator)) }
        #expect(detector.observe(1e9) == nil)
        #expect(detector.observe(.nan) == nil)
        #expect(abs((detector.level ?? 0) - 100) < 2)
        let noticed = (1...40).first { _ in
            detector.observe(Double.random(in: 100...120, using: &generator)) == .rise
        }
        #expect(noticed != nil)
    }
}
