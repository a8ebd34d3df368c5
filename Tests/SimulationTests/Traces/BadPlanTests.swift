import ServingModel
import Simulation
import Testing

@Suite("Bad options of the offered load")
struct BadPlanTests {
    private static let trace = Trace(
        entries: (0..<10).map { Trace.Entry(arrival: .seconds($0), inputTokens: 100, outputTokens: 10) }
    )
    private static let year = Trace.Entry(arrival: .seconds(365 * 86400), inputTokens: 1, outputTokens: 1)
    private static let batch = Trace(entries: [trace.entries[0], trace.entries[0]])

    struct Case: Sendable, CustomTestStringConvertible {
        var option: String
        var says: String
        var trace: Trace
        var change: @Sendable (inout ArrivalPlan) -> Void

        var testDescription: String { "\(option): \(says)" }

        init(
            _ option: String,
            _ says: String,
            of trace: Trace = BadPlanTests.trace,
            _ change: @escaping @Sendable (inout ArrivalPlan) -> Void
        ) {
            (self.option, self.says, self.trace, self.change) = (option, says, trace, change)
        }
    }

    static let cases = [
        Case("--rate", "above 0") { $0.rate = 0 },
        Case("--rate", "above 0") { $0.rate = -.infinity },
        Case("--rate", "above 0") { $0.rate = .nan },
        Case("--rate", "above 0") { $0.rate = .infinity },
        Case("--rate", "1e9") { $0.rate = 1e-300 },
        Case("--rate-scale", "above 0") { $0.rateScale = -1 },
        Case("--rate-scale", "1e9") { $0.rateScale = 1e-12 },
        Case("--rate", "not both") { ($0.rate, $0.rateScale) = (1, 1) },
        Case("--rate", "10 million") { plan in
            plan.arrivals = .poisson
            plan.rate = 5
            plan.changes = Array(repeating: .drift(fromSeconds: 0, rate: 1e3), count: 4)
        },
        Case("--duration-s", "above 0") { $0.durationSeconds = 0 },
        Case("--duration-s", "above 0") { $0.durationSeconds = .nan },
        Case("--duration-s", "10 million") { ($0.rate, $0.durationSeconds) = (1e6, 1e6) },
        Case("--duration-s", "no query") { ($0.arrivals, $0.durationSeconds) = (.poisson, 1e-9) },
        Case("--offset-s", "from 0") { $0.offsetSeconds = -1 },
        Case("--offset-s", "--arrivals trace") { ($0.offsetSeconds, $0.arrivals) = (1, .poisson) },
        Case("--intensity-bin-s", "from 0.001") { $0.arrivals = .intensity(binSeconds: 0) },
        Case("--intensity-bin-s", "million bins", of: Trace(entries: [trace.entries[0], year])) { plan in
            plan.arrivals = .intensity(binSeconds: 1)
        },
        Case("--max-input-tokens", "from 1") { $0.maxInputTokens = 0 },
        Case("--max-input-tokens", "longer than 99") { $0.maxInputTokens = 99 },
        Case("--profile", "100 tokens that the KV cache holds") { $0.kvCapacityTokens = 100 },
        Case("--drift", "from 0") { $0.changes = [.drift(fromSeconds: -1)] },
        Case("--drift", "lengths") { $0.changes = [.drift(fromSeconds: 1, lengths: 0)] },
        Case("--drift", "1e9", of: Trace(entries: [trace.entries[0], year])) { plan in
            plan.changes = [.drift(fromSeconds: 0, rate: 1e-3)]
        },
        Case("--burst", "after the beginning") { $0.changes = [.burst(fromSeconds: 5, lastingSeconds: 0, rate: 2)] },
        Case("--burst", "rate") { $0.changes = [.burst(fromSeconds: 5, lastingSeconds: 1, rate: .nan)] },
        Case("--trace", "no query", of: Trace(entries: [])) { _ in },
        Case("--rate", "at once", of: batch) { $0.rate = 5 },
        Case("--trace", "at once", of: batch) { $0.arrivals = .poisson },
    ]

    @Test("The wrong option is named", arguments: cases)
    func namesTheOption(bad: Case) throws {
        var plan = ArrivalPlan()
        bad.change(&plan)
        let error = try #require(throws: ArrivalPlanError.self) { try plan.entries(from: bad.trace, seed: 1) }
        #expect(error.option == bad.option)
        #expect(error.message.contains(bad.says), "\(error)")
    }
}
