internal import Synchronization

/// Spans on their way out: bounded, so that a slow collector costs spans and not memory or time.
package final class SpanQueue: Sendable {
    private struct State {
        var waiting: [Span] = []
        var counts = SpanCounts()
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: spans that wait at most; more are dropped, the latest.
    package init(capacity: Int = 16_384) {
        self.capacity = capacity
    }

    package var counts: SpanCounts { state.withLock { $0.counts } }

    /// Leaves spans to be exported; never waits.
    package func add(_ spans: [Span]) {
        state.withLock { state in
            // All of a query's or none: a part of a trace misleads.
            guard state.waiting.count + spans.count <= capacity else {
                state.counts.dropped += spans.count
                return
            }
            state.waiting += spans
        }
    }

    func take(atMost count: Int) -> [Span] {
        state.withLock { state in
            let taken = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// Has spans again that were taken, before those that came since.
    func putBack(_ spans: [Span]) {
        state.withLock { $0.waiting = spans + $0.waiting }
    }

    func note(exported: Int = 0, failed: Int = 0) {
        state.withLock { state in
            state.counts.exported += exported
            state.counts.failed += failed
        }
    }
}

/// What became of spans.
package struct SpanCounts: Hashable, Sendable {
    package var exported = 0
    /// There was no room for them.
    package var dropped = 0
    /// The file or the collector did not take them.
    package var failed = 0

    package init() {}

    /// As metrics tell them.
    package var byResult: [(result: String, count: Int)] {
        [("exported", exported), ("dropped", dropped), ("failed", failed)]
    }
}
