internal import AladdinClient
internal import ServingModel

/// One query under way: its transcript and its times.
struct QueryRun: Sendable {
    private(set) var transcript: QueryTranscript
    private var meter: LatencyMeter
    private let metrics: GatewayMetrics

    init(arrival: ContinuousClock.Instant, keepsText: Bool, metrics: GatewayMetrics) {
        transcript = QueryTranscript(keepsText: keepsText)
        meter = LatencyMeter(arrival: arrival)
        self.metrics = metrics
    }

    /// Reads on until the first event for which `isEnough` says so, or the query's end.
    ///
    /// - Returns: the change that was enough.
    /// - Throws: the query's `Status`, or `CancellationError` if the task is cancelled.
    mutating func read(
        _ events: inout QueryStream.AsyncIterator,
        until isEnough: (QueryTranscript.Change) -> Bool
    ) async throws -> QueryTranscript.Change {
        while let event = try await events.next(isolation: #isolation) {
            let change = try transcript.apply(event)
            if case .tokens(let count, _) = change {
                metrics.received(tokens: count, after: meter.note(tokens: count, at: .now))
            }
            if change == .finished { metrics.finished(averageTokenTime: meter.averageTokenTime) }
            if change == .finished || isEnough(change) { return change }
        }
        // A stream ends early for a cancelled task; otherwise its end is announced.
        try Task.checkCancellation()
        throw Status(.internalError, .none, "The query's events ended before the query did.")
    }
}
