import Testing

@testable import Scheduling

@Suite("Steps told from when tokens came")
struct BatchTimingTests {
    /// A query that gets a token every 10 ms from `start` on.
    private func query(_ tokens: Int, from start: Double, input: Int = 100, each: Int = 1) -> TimedQuery {
        var query = TimedQuery(sent: 0)
        query.inputTokens = input
        for index in 0..<tokens { query.note(each, from: index * each, at: start + 0.01 * Double(index)) }
        return query
    }

    @Test("The time of a step and the contexts in the middle of each span, while all run")
    func together() {
        let timing = BatchTiming([query(21, from: 1), query(41, from: 0.9, input: 300)])
        #expect(timing.steps.count == 4)
        #expect(timing.steps.allSatisfy { abs($0.milliseconds - 10) < 1e-6 })
        // The first span is from token 1 to 6 of the one, 11 to 16 of the other.
        #expect(timing.steps[0].contextTokens == 400 + 17)
    }

    @Test("Several tokens at once are as many steps")
    func bundles() {
        let timing = BatchTiming([query(9, from: 0, each: 4)])
        #expect(timing.steps.allSatisfy { abs($0.milliseconds - 2.5) < 1e-6 } && !timing.steps.isEmpty)
    }

    @Test("Queries that did not run together, or without tokens, tell nothing")
    func nothing() {
        #expect(BatchTiming([]).steps.isEmpty)
        #expect(BatchTiming([TimedQuery(sent: 0)]).steps.isEmpty)
        #expect(BatchTiming([query(5, from: 0), query(5, from: 1)]).steps.isEmpty)
        #expect(BatchTiming([query(1, from: 0)]).steps.isEmpty)
    }
}
