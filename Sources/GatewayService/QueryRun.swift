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

    /// Takes the next event, which came at `time`.
    ///
    /// - Throws: as `QueryTranscript.apply` does.
    mutating func take(_ event: QueryEvent, at time: ContinuousClock.Instant) throws(Status) -> QueryTranscript.Change {
        let change = try transcript.apply(event)
        switch change {
        case .tokens(let count, _): metrics.received(tokens: count, after: meter.note(tokens: count, at: time))
        case .finished: metrics.finished(averageTokenTime: meter.averageTokenTime)
        case .nothing, .started, .tookBack: break
        }
        return change
    }
}
