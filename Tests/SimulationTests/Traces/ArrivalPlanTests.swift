import ServingModel
import Simulation
import Testing

@Suite("Offered load")
struct ArrivalPlanTests {
    /// Queries at the seconds 0, 1, 3 and 4, told apart by their prompts.
    private let four = Trace(
        entries: zip([0, 1, 3, 4], 1...4).map {
            Trace.Entry(arrival: .seconds(Int64($0)), inputTokens: $1, outputTokens: 1, session: $1 % 2)
        }
    )

    private func seconds(_ entries: [Trace.Entry]) -> [Double] { entries.map(\.arrival.seconds) }

    private func rate(_ entries: [Trace.Entry], _ plan: ArrivalPlan) throws -> Double {
        Double(entries.count) / (try #require(plan.durationSeconds))
    }

    @Test("Without options a trace is offered as it is")
    func unchanged() throws {
        #expect(try ArrivalPlan().entries(from: four, seed: 1) == four.entries)
    }

    @Test("A rate counts the queries that the filters leave")
    func rateAfterFilters() throws {
        var plan = ArrivalPlan()
        plan.maxInputTokens = 3
        plan.rate = 2
        let entries = try plan.entries(from: four, seed: 1)
        #expect(entries.map(\.inputTokens) == [1, 2, 3])
        // 3 queries in 3 s are squeezed into 1.5 s.
        #expect(seconds(entries) == [0, 0.5, 1.5])

        plan.maxInputTokens = nil
        plan.kvCapacityTokens = 4
        #expect(try plan.entries(from: four, seed: 1).map(\.inputTokens) == [1, 2])
        plan.kvCapacityTokens = 5
        #expect(try plan.entries(from: four, seed: 1).map(\.inputTokens) == [1, 2, 3])
    }

    @Test("A rate scale is a factor on the trace's own rate")
    func rateScale() throws {
        var plan = ArrivalPlan()
        plan.rateScale = 4
        #expect(seconds(try plan.entries(from: four, seed: 1)) == [0, 0.25, 0.75, 1])
    }

    @Test("A trace that is shorter than the duration starts again after its span, with other conversations")
    func startsAgain() throws {
        var plan = ArrivalPlan()
        plan.durationSeconds = 9
        let entries = try plan.entries(from: four, seed: 1)
        #expect(seconds(entries) == [0, 1, 3, 4, 4, 5, 7, 8, 8])
        #expect(entries.map(\.inputTokens) == [1, 2, 3, 4, 1, 2, 3, 4, 1])
        #expect(entries.map(\.session) == [1, 0, 1, 0, 3, 2, 3, 2, 5])
        #expect(try #require(plan.durationSeconds) * four.rate == Double(entries.count))
    }

    @Test("An offset counts scaled seconds and wraps round")
    func offset() throws {
        var plan = ArrivalPlan()
        plan.rateScale = 2
        plan.offsetSeconds = 1
        let once = try plan.entries(from: four, seed: 1)
        #expect(seconds(once) == [0.5, 1, 1, 1.5])
        #expect(once.map(\.inputTokens) == [3, 4, 1, 2])
        plan.durationSeconds = 3
        #expect(seconds(try plan.entries(from: four, seed: 1)) == [0.5, 1, 1, 1.5, 2.5])
        plan.offsetSeconds += 40
        #expect(seconds(try plan.entries(from: four, seed: 1)) == [0.5, 1, 1, 1.5, 2.5])
    }

    @Test("A trace that begins late keeps its beginning")
    func lateBeginning() throws {
        let late = Trace(entries: [2, 4].map { Trace.Entry(arrival: .seconds($0), inputTokens: 1, outputTokens: 1) })
        var plan = ArrivalPlan()
        plan.durationSeconds = 7
        #expect(seconds(try plan.entries(from: late, seed: 1)) == [2, 4, 4, 6, 6])
        plan.offsetSeconds = 3
        #expect(seconds(try plan.entries(from: late, seed: 1)) == [1, 1, 3, 3, 5, 5])
    }

    @Test("Queries that all arrive at once are not repeated")
    func allAtOnce() throws {
        let batch = Trace(entries: Array(repeating: four.entries[1], count: 3))
        var plan = ArrivalPlan()
        plan.durationSeconds = 100
        #expect(try plan.entries(from: batch, seed: 1) == batch.entries)
        plan.arrivals = .poisson
        plan.rate = 1
        #expect(try plan.entries(from: batch, seed: 1).count > 50)
    }

    @Test("Scaled public traces come at the rate that was asked for and keep their burstiness")
    func scaledTrace() throws {
        let trace = try TestData.trace("azure2023_conv")
        var plan = ArrivalPlan()
        plan.rate = 33.16
        plan.durationSeconds = 2000
        let entries = try plan.entries(from: trace, seed: 1)
        #expect(abs(try rate(entries, plan) / 33.16 - 1) < 0.02)
        let own = try #require(TraceStatistics(trace)?.interArrivalVariation)
        let scaled = try #require(TraceStatistics(Trace(entries: entries))?.interArrivalVariation)
        #expect(abs(scaled / own - 1) < 0.01)
    }

    @Test("Other replicates of the trace's own arrivals begin elsewhere, as their seed says")
    func replicates() throws {
        let trace = try TestData.trace("sharegpt_llama3_300")
        var plan = ArrivalPlan()
        plan.durationSeconds = 10
        let first = try plan.entries(from: trace, seed: 1)
        #expect(try plan.entries(from: trace, seed: 2) == first)
        let second = try plan.entries(from: trace, seed: 2, replicate: 1)
        #expect(second != first)
        #expect(try plan.entries(from: trace, seed: 2, replicate: 1) == second)
        #expect(try plan.entries(from: trace, seed: 3, replicate: 1) != second)
    }

    @Test("Poisson arrivals come at the rate, with an IAT CV and an IDC of 1, and lengths like the trace's")
    func poisson() throws {
        let trace = try TestData.trace("azure2023_code")
        var plan = ArrivalPlan()
        plan.arrivals = .poisson
        plan.rate = 40
        plan.durationSeconds = 1000
        let entries = try plan.entries(from: trace, seed: 3)
        #expect(abs(try rate(entries, plan) / 40 - 1) < 0.02)
        let own = try #require(TraceStatistics(trace))
        let drawn = try #require(TraceStatistics(Trace(entries: entries)))
        #expect(abs(try #require(drawn.interArrivalVariation) - 1) < 0.02)
        #expect(abs(try #require(drawn.dispersion.oneSecond) - 1) < 0.15)
        #expect(abs(drawn.input.mean / own.input.mean - 1) < 0.02)
        #expect(abs(drawn.output.mean / own.output.mean - 1) < 0.05)
        #expect(drawn.input.p99 == own.input.p99)
        let pairs = Set(trace.entries.map { [$0.inputTokens, $0.outputTokens] })
        #expect(entries.allSatisfy { pairs.contains([$0.inputTokens, $0.outputTokens]) })
    }

    @Test("Equal seeds draw equal queries, other seeds others, and the rate does not change which queries come")
    func determinism() throws {
        let trace = try TestData.trace("sharegpt_opt_poisson16")
        var plan = ArrivalPlan()
        plan.durationSeconds = 100
        for arrivals in [ArrivalPlan.Arrivals.poisson, .intensity(binSeconds: 10)] {
            plan.arrivals = arrivals
            plan.rate = 20
            let entries = try plan.entries(from: trace, seed: 4)
            #expect(try plan.entries(from: trace, seed: 4) == entries)
            #expect(try plan.entries(from: trace, seed: 5) != entries)
        }
        plan.arrivals = .poisson
        let slow = try plan.entries(from: trace, seed: 4).map(\.inputTokens)
        plan.rate = 40
        #expect(try plan.entries(from: trace, seed: 4).map(\.inputTokens).starts(with: slow))
    }

    @Test("The draws are the same on every machine")
    func pinnedDraws() throws {
        var plan = ArrivalPlan()
        plan.arrivals = .poisson
        plan.rate = 1
        plan.durationSeconds = 12
        let entries = try plan.entries(from: four, seed: 42)
        #expect(
            entries.map { $0.arrival.nanoseconds / 1000 } == [
                420_515, 3_538_341, 4_204_553, 4_274_287, 5_404_129, 5_474_026, 5_691_376, 7_018_347, 7_136_437,
                8_400_384,
                9_425_027, 9_617_878, 9_875_936, 10_181_919,
            ]
        )
        #expect(entries.map(\.inputTokens) == [4, 2, 3, 3, 3, 2, 4, 2, 3, 1, 4, 1, 3, 1])
    }

    @Test("What arrives is in order, within the duration and counted from its beginning", arguments: 0..<60)
    func inOrder(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var plan = ArrivalPlan()
        plan.arrivals = [.trace, .poisson, .intensity(binSeconds: 0.7)][Int(seed) % 3]
        plan.rate = Double.random(in: 1...20, using: &generator)
        plan.durationSeconds = Double.random(in: 3...50, using: &generator)
        if plan.arrivals == .trace { plan.offsetSeconds = Double.random(in: 0...50, using: &generator) }
        if Bool.random(using: &generator) {
            let from = Double.random(in: 0...20, using: &generator)
            plan.changes.append(.burst(fromSeconds: from, lastingSeconds: 5, rate: 3))
            plan.changes.append(.drift(fromSeconds: 6, lengths: 0.3, rate: 0.5))
        }
        let entries = try plan.entries(from: four, seed: seed)
        let duration = try #require(plan.durationSeconds)
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.arrival <= $1.arrival })
        #expect(entries.allSatisfy { $0.arrival >= .zero && $0.arrival.seconds < duration && $0.inputTokens >= 1 })
    }
}
