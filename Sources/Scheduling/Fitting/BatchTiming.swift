/// When the tokens of one query came, as its client saw them.
package struct TimedQuery: Hashable, Sendable {
    package struct Arrival: Hashable, Sendable {
        /// Output tokens there were by then.
        package var count: Int
        /// In seconds since the query was sent, or any moment common to all of a batch.
        package var seconds: Double
    }

    /// In seconds, on the same clock as the arrivals.
    package let sent: Double
    /// In order.
    package private(set) var arrivals: [Arrival] = []
    package var inputTokens = 0

    package init(sent: Double) {
        self.sent = sent
    }

    package mutating func note(_ count: Int, from first: Int, at seconds: Double) {
        arrivals.append(Arrival(count: first + count, seconds: seconds))
    }

    /// Tokens there were at a moment.
    func count(at seconds: Double) -> Int {
        arrivals.last { $0.seconds <= seconds }?.count ?? 0
    }
}

/// The decode steps of a batch, told from the moments at which its tokens came.
///
/// Only the time counts in which all of it decodes: from the last first token to the first end. Steps are averaged over
/// spans of several, since a single gap says more about the way to the client than about the worker.
package struct BatchTiming: Sendable {
    package struct Step: Hashable, Sendable {
        /// Of all sequences together, in the middle of the span.
        package var contextTokens: Int
        package var milliseconds: Double
    }

    private static let spans = 4

    /// One for each span; none if the queries did not run together for at least two steps.
    package let steps: [Step]

    /// - Parameter queries: of one worker.
    package init(_ queries: [TimedQuery]) {
        let starts = queries.compactMap { $0.arrivals.first?.seconds }
        let ends = queries.compactMap { $0.arrivals.last?.seconds }
        guard let guide = queries.first, starts.count == queries.count, let begin = starts.max(), let end = ends.min()
        else {
            steps = []
            return
        }
        let arrivals = guide.arrivals.filter { (begin...max(begin, end)).contains($0.seconds) }
        let stride = max(1, (arrivals.count - 1) / Self.spans)
        var steps: [Step] = []
        for index in Swift.stride(from: 0, to: max(0, arrivals.count - stride), by: stride) {
            let (first, last) = (arrivals[index], arrivals[index + stride])
            guard last.count > first.count else { continue }
            let contexts = queries.map { query in
                Double(query.inputTokens) + Double(query.count(at: first.seconds) + query.count(at: last.seconds)) / 2
            }
            let milliseconds = (last.seconds - first.seconds) * 1000 / Double(last.count - first.count)
            steps.append(Step(contextTokens: Int(contexts.reduce(0, +).rounded()), milliseconds: milliseconds))
        }
        self.steps = steps
    }
}
