package import ServingModel

/// Queries as they once arrived: times and lengths, no text.
package struct Trace: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// From the trace's beginning.
        package var arrival: Interval
        package var inputTokens: Int
        package var outputTokens: Int
        /// Queries of one conversation carry the same.
        package var session: Int?

        package init(arrival: Interval, inputTokens: Int, outputTokens: Int, session: Int? = nil) {
            self.arrival = arrival
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
            self.session = session
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// First arrival to last.
    package var span: Interval {
        guard let first = entries.first, let last = entries.last else { return .zero }
        return last.arrival - first.arrival
    }

    /// Mean arrivals per second; 0 for fewer than two entries.
    package var rate: Double {
        span > .zero ? Double(entries.count - 1) / span.seconds : 0
    }

    /// The trace with arrivals this many times as fast.
    package func scaled(rateBy factor: Double) -> Trace {
        Trace(
            entries: entries.map {
                var entry = $0
                entry.arrival = .seconds(rounding: entry.arrival.seconds / factor)
                return entry
            }
        )
    }

    /// What arrives in the first `duration`, the trace starting again after its span if it is shorter.
    package func lasting(_ duration: Interval) -> Trace {
        guard let first = entries.first, !entries.isEmpty else { return self }
        // One mean gap between the last arrival and the first of the next round.
        let gap = rate > 0 ? Interval.seconds(rounding: 1 / rate) : .seconds(1)
        let period = span + gap
        var result: [Entry] = []
        var start = Interval.zero
        while start < duration {
            for entry in entries {
                var moved = entry
                moved.arrival = start + (entry.arrival - first.arrival)
                guard moved.arrival < duration else { break }
                result.append(moved)
            }
            start = start + period
        }
        return Trace(entries: result)
    }
}
