package import ServingModel

/// A conversation as a closed loop: each query is sent some time after the answer to the one before has ended.
package struct SessionScript: Hashable, Sendable {
    package struct Call: Hashable, Sendable {
        /// The query's place among the entries that the scripts were made of.
        package var index: Int
        package var entry: Trace.Entry
        /// From the end of the previous answer; for the first call from `SessionScript.start`, so 0.
        package var thinkTime: Interval
    }

    /// nil for a query that belongs to no conversation.
    package var session: Int?
    /// When the first query arrives.
    package var start: Interval
    package var calls: [Call]
}

extension Trace {
    /// The conversations of the trace in the order in which they begin, queries without one alone.
    ///
    /// A trace tells when queries arrived, not when their answers ended: the think time is what is left of the gap to
    /// the next query after `serviceTime` of this one, never below 0.
    ///
    /// - Parameter serviceTime: How long the service that was traced took from arrival to last token, as estimated.
    package func sessions(serviceTime: (Entry) -> Interval) -> [SessionScript] {
        var scripts: [SessionScript] = []
        var places: [Int: Int] = [:]
        for (index, entry) in entries.enumerated() {
            if let session = entry.session, let place = places[session], let last = scripts[place].calls.last {
                let gap = entry.arrival - last.entry.arrival - serviceTime(last.entry)
                let call = SessionScript.Call(index: index, entry: entry, thinkTime: max(.zero, gap))
                scripts[place].calls.append(call)
            } else {
                if let session = entry.session { places[session] = scripts.count }
                let call = SessionScript.Call(index: index, entry: entry, thinkTime: .zero)
                scripts.append(SessionScript(session: entry.session, start: entry.arrival, calls: [call]))
            }
        }
        return scripts
    }
}
