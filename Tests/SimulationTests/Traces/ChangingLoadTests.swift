import ServingModel
import Simulation
import Testing

@Suite("Changing load")
struct ChangingLoadTests {
    /// 10 queries a second for 100 s.
    private let even = Trace(
        entries: (0..<1001).map {
            Trace.Entry(arrival: .milliseconds(100 * $0), inputTokens: 100, outputTokens: 10)
        }
    )

    private func count(_ entries: [Trace.Entry], from start: Double, to end: Double) -> Int {
        entries.count { $0.arrival.seconds >= start && $0.arrival.seconds < end }
    }

    @Test("A burst multiplies the rate while it lasts, and all is as before afterwards")
    func burst() throws {
        var plan = ArrivalPlan()
        plan.durationSeconds = 80
        plan.changes = [.burst(fromSeconds: 30, lastingSeconds: 10, rate: 3)]
        let entries = try plan.entries(from: even, seed: 1)
        #expect(abs(count(entries, from: 0, to: 30) - 300) <= 1)
        #expect(abs(count(entries, from: 30, to: 40) - 300) <= 1)
        #expect(abs(count(entries, from: 40, to: 80) - 400) <= 2)
        #expect(entries.allSatisfy { $0.inputTokens == 100 })
    }

    @Test("A drift changes rate and lengths from its instant on")
    func drift() throws {
        var plan = ArrivalPlan()
        plan.durationSeconds = 60
        plan.changes = [.drift(fromSeconds: 20, lengths: 2.5, rate: 0.5)]
        let entries = try plan.entries(from: even, seed: 1)
        #expect(abs(count(entries, from: 0, to: 20) - 200) <= 1)
        #expect(abs(count(entries, from: 20, to: 60) - 200) <= 1)
        for entry in entries {
            let drifted = entry.arrival >= .seconds(20)
            #expect(entry.inputTokens == (drifted ? 250 : 100) && entry.outputTokens == (drifted ? 25 : 10))
        }
    }

    @Test("Changes that overlap multiply, on drawn arrivals too")
    func overlap() throws {
        var plan = ArrivalPlan()
        plan.arrivals = .poisson
        plan.rate = 100
        plan.durationSeconds = 60
        plan.changes = [
            .drift(fromSeconds: 20, rate: 2), .burst(fromSeconds: 30, lastingSeconds: 10, rate: 3),
        ]
        let entries = try plan.entries(from: even, seed: 1)
        for (start, end, rate) in [(0.0, 20.0, 100.0), (20, 30, 200), (30, 40, 600), (40, 60, 200)] {
            let expected = (end - start) * rate
            #expect(abs(Double(count(entries, from: start, to: end)) - expected) < 5 * expected.squareRoot())
        }
    }

    @Test("Queries that a drift makes too long for the KV cache are left out")
    func driftBeyondCapacity() throws {
        var plan = ArrivalPlan()
        plan.kvCapacityTokens = 200
        plan.changes = [.drift(fromSeconds: 50, lengths: 2)]
        #expect(try plan.entries(from: even, seed: 1) == Array(even.entries.prefix(500)))
    }

    @Test("Without a duration a changed rate makes the trace longer or shorter, and no query is lost")
    func wholeTrace() throws {
        var plan = ArrivalPlan()
        plan.changes = [.drift(fromSeconds: 50, rate: 0.5)]
        let entries = try plan.entries(from: even, seed: 1)
        #expect(entries.count == even.entries.count)
        #expect(entries.last?.arrival == .seconds(150))
    }

    @Test("The trace's own intensity is kept, compressed to the duration and scaled to the mean rate")
    func intensity() throws {
        // 100 s each at 1, 10 and 4 queries a second; the rate tells the lengths.
        var entries: [Trace.Entry] = []
        for (bin, rate) in [1, 10, 4].enumerated() {
            for index in 0..<(100 * rate) {
                let arrival = Interval.milliseconds(Int64(100_000 * bin + 1000 * index / rate))
                entries.append(Trace.Entry(arrival: arrival, inputTokens: rate, outputTokens: 1))
            }
        }
        var plan = ArrivalPlan()
        plan.arrivals = .intensity(binSeconds: 100)
        plan.rate = 50
        plan.durationSeconds = 600
        let drawn = try plan.entries(from: Trace(entries: entries), seed: 8)
        #expect(abs(drawn.count - 30_000) < 5 * 173)
        // Smoothed: (2·1 + 10)/3, (1 + 2·10 + 4)/4 and (10 + 2·4)/3 of 16.25 together.
        for (bin, weight) in [4, 6.25, 6].enumerated() {
            let expected = 30_000 * weight / 16.25
            let start = 200 * Double(bin)
            #expect(abs(Double(count(drawn, from: start, to: start + 200)) - expected) < 5 * expected.squareRoot())
            let lengths = Set(drawn.filter { Int($0.arrival.seconds / 200) == bin }.map(\.inputTokens))
            #expect(lengths == [[1, 10, 4][bin]])
        }
    }

    @Test("A bin without queries borrows those of its neighbours, and nothing arrives far from any")
    func emptyBins() throws {
        let times: [Int64] = [0, 1, 2, 3, 90, 91, 92, 100]
        let gaps = Trace(entries: times.map { Trace.Entry(arrival: .seconds($0), inputTokens: 5, outputTokens: 1) })
        var plan = ArrivalPlan()
        plan.arrivals = .intensity(binSeconds: 10)
        plan.rate = 20
        plan.durationSeconds = 100
        let drawn = try plan.entries(from: gaps, seed: 8)
        #expect(count(drawn, from: 10, to: 20) > 0)
        #expect(count(drawn, from: 20, to: 80) == 0)
        #expect(count(drawn, from: 80, to: 90) > 0)
    }

    @Test("A public trace's rises and falls are kept")
    func publicIntensity() throws {
        let trace = try TestData.trace("servegen_mmid_day")
        var plan = ArrivalPlan()
        plan.arrivals = .intensity(binSeconds: 600)
        plan.rate = 36
        plan.durationSeconds = 7200
        plan.maxInputTokens = 6000
        let drawn = try plan.entries(from: trace, seed: 1)
        #expect(abs(Double(drawn.count) / (36 * 7200) - 1) < 0.01)
        let kept = plan.filtered(trace).entries
        // Hours of the trace, 300 s of the load.
        for hour in stride(from: 1.0, to: 23, by: 1) {
            let own = Double(count(kept, from: hour * 3600, to: (hour + 1) * 3600)) / Double(kept.count)
            let share = Double(count(drawn, from: hour * 300, to: (hour + 1) * 300)) / Double(drawn.count)
            #expect(abs(share / own - 1) < 0.25)
        }
    }
}
