import ServingModel
import Testing

@testable import ZeroMQ

@Suite("How long a thread looks for work before it sleeps")
struct BusyPollTests {
    private let most = Interval(nanoseconds: 100_000)
    private let late = Interval(nanoseconds: 100_001)

    /// The spans, in microseconds, after sleeps that ended so late.
    private func spans(_ most: Interval, after times: [Interval]) -> [Double] {
        var busyPoll = BusyPoll(most: most)
        return times.map {
            busyPoll.slept(until: $0)
            return Double(busyPoll.span.nanoseconds) / 1000
        }
    }

    @Test("a thread sleeps at once until something came soon, and then looks for twice as long each time")
    func grows() {
        #expect(spans(most, after: [.milliseconds(3), late]) == [0, 0])
        #expect(spans(most, after: Array(repeating: most, count: 6)) == [12.5, 25, 50, 100, 100, 100])
    }

    @Test("each time that nothing came soon halves it, down to nothing")
    func shrinks() {
        let soon = Array(repeating: Interval(nanoseconds: 20_000), count: 4)
        let after = spans(most, after: soon + Array(repeating: late, count: 6)).dropFirst(4)
        #expect(Array(after) == [50, 25, 12.5, 0, 0, 0])
    }

    @Test("where others wait for the processor it sleeps at once, until something came soon again")
    func crowded() {
        var busyPoll = BusyPoll(most: most)
        for _ in 0..<4 { busyPoll.slept(until: .zero) }
        busyPoll.wasCrowded()
        #expect(busyPoll.span == .zero)
        busyPoll.slept(until: most)
        #expect(busyPoll.span == Interval(nanoseconds: 12_500))
    }

    @Test("none is none")
    func never() {
        #expect(spans(.zero, after: [.zero, Interval(nanoseconds: 1), .seconds(1), .zero]) == [0, 0, 0, 0])
    }
}
