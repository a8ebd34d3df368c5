/// When the tokens of one query came.
struct TimedQuery: Sendable {
    let sent: ContinuousClock.Instant
    /// In order: the number of tokens there were after each arrival, and when.
    private(set) var tokens: [(count: Int, at: ContinuousClock.Instant)] = []
    var inputTokens = 0

    init(sent: ContinuousClock.Instant) {
        self.sent = sent
    }

    mutating func note(tokens count: Int, from first: Int, at time: ContinuousClock.Instant) {
        tokens.append((first + count, time))
    }
}

/// The steps of a batch, told from the moments at which its tokens came.
struct BatchTiming {
    struct Step: Hashable {
        /// Of all sequences, in the middle of the span.
        var contextTokens: Int
        var milliseconds: Double
    }

    let steps: [Step]

    /// - Parameter queries: of one worker, and sent together.
    init(_ queries: [TimedQuery]) {
        // Only while all of them decode, from the last that began to the first that ended.
        let starts = queries.compactMap(\.tokens.first?.at)
        let ends = queries.compactMap(\.tokens.last?.at)
        guard starts.count == queries.count, let begin = starts.max(), let end = ends.min(), begin < end else {
            steps = []
            return
        }
        steps = Self.spans(of: queries, from: begin, to: end)
    }

    /// Spans of a few steps each: single gaps hold more of the network than of the worker.
    private static func spans(
        of queries: [TimedQuery],
        from begin: ContinuousClock.Instant,
        to end: ContinuousClock.Instant
    ) -> [Step] {
        guard let guide = queries.first else { return [] }
        let arrivals = guide.tokens.filter { $0.at >= begin && $0.at <= end }
        let stride = max(1, (arrivals.count - 1) / 4)
        var steps: [Step] = []
        var index = 0
        while index + stride < arrivals.count {
            let (first, last) = (arrivals[index], arrivals[index + stride])
            let count = last.count - first.count
            index += stride
            guard count > 0 else { continue }
            let middle = Double(first.count + last.count) / 2
            let behind = queries.reduce(0.0) { $0 + Double($1.inputTokens) + middle + Self.lead(of: $1, over: guide, at: begin) }
            steps.append(
                Step(contextTokens: Int(behind.rounded()), milliseconds: (last.at - first.at).milliseconds / Double(count))
            )
        }
        return steps
    }

    /// Tokens that a query is ahead of another at a moment.
    private static func lead(
        of query: TimedQuery,
        over guide: TimedQuery,
        at time: ContinuousClock.Instant
    ) -> Double {
        func count(_ query: TimedQuery) -> Int { query.tokens.last { $0.at <= time }?.count ?? 0 }
        return Double(count(query) - count(guide))
    }
}
