package import ServingModel

extension Trace {
    /// The trace with arrivals this many times as fast.
    package func scaled(rateBy factor: Double) -> Trace {
        guard factor != 1 else { return self }
        var result = self
        for index in result.entries.indices {
            result.entries[index].arrival = .seconds(rounding: entries[index].arrival.seconds / factor)
        }
        return result
    }

    /// What arrives in the first `duration`, the trace starting again after its span if it is shorter.
    package func lasting(_ duration: Interval) -> Trace {
        window(from: .zero, lasting: duration)
    }

    /// What arrives from `offset` on during `duration`, with times from `offset`; the trace starts again after its
    /// span.
    ///
    /// A conversation of a later round is another conversation. A trace whose queries all arrive at once is not
    /// repeated.
    ///
    /// - Parameter duration: nil for as many queries as the trace has.
    package func window(from offset: Interval, lasting duration: Interval?) -> Trace {
        guard let first = entries.first?.arrival, let last = entries.last?.arrival else { return self }
        let period = span.nanoseconds
        var start = offset.nanoseconds
        if period == 0 {
            start = 0
        } else if start > last.nanoseconds {
            start = first.nanoseconds + (start - first.nanoseconds) % period
        }
        let end = duration.map(\.nanoseconds) ?? .max
        let sessions = entries.lazy.compactMap(\.session)
        let sessionStride = (sessions.max() ?? 0) &- (sessions.min() ?? 0) &+ 1
        var result: [Entry] = []
        var round: Int64 = 0
        while true {
            for entry in entries {
                let arrival = entry.arrival.nanoseconds + round * period - start
                guard arrival >= 0 else { continue }
                guard arrival < end, duration != nil || result.count < entries.count else {
                    return Trace(entries: result)
                }
                var moved = entry
                moved.arrival = Interval(nanoseconds: arrival)
                moved.session = entry.session.map { $0 &+ Int(round) &* sessionStride }
                result.append(moved)
            }
            round += 1
            if period == 0 { return Trace(entries: result) }
        }
    }

    /// Several traces at the same time, from the same beginning; conversations and prefixes of different traces stay
    /// apart.
    package init(superposing traces: [Trace]) {
        var all: [Entry] = []
        var nextSession = 0
        for (number, trace) in traces.enumerated() {
            let sessions = trace.entries.lazy.compactMap(\.session)
            let lowest = sessions.min() ?? 0
            for entry in trace.entries {
                var entry = entry
                if number > 0 {
                    entry.session = entry.session.map { $0 &- lowest &+ nextSession }
                    // A permutation for each trace: equal hashes stay equal, and those of other traces are others.
                    entry.blocks = PromptBlocks(
                        hashes: entry.blocks.hashes.map { block in
                            var generator = SeededGenerator(seed: block &+ UInt64(number) << 48)
                            return generator.next()
                        },
                        blockTokens: entry.blocks.blockTokens
                    )
                }
                all.append(entry)
            }
            if let highest = sessions.max() {
                nextSession = (number > 0 ? highest &- lowest &+ nextSession : highest) &+ 1
            }
        }
        // Ties in the order of the traces: the standard sort is stable.
        self.init(entries: all.sorted { $0.arrival < $1.arrival })
    }
}
