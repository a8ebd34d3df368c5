/// Times a query's tokens as they reach the gateway.
struct LatencyMeter: Sendable {
    private let arrival: ContinuousClock.Instant
    private var first: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant?
    private var tokens = 0

    init(arrival: ContinuousClock.Instant) {
        self.arrival = arrival
    }

    /// Notes tokens that came at `now`.
    ///
    /// - Returns: the time to the first token if these are the first.
    mutating func note(tokens count: Int, at now: ContinuousClock.Instant) -> Duration? {
        guard count > 0 else { return nil }
        tokens += count
        last = now
        guard first == nil else { return nil }
        first = now
        return now - arrival
    }

    /// `(last − first) / (tokens − 1)`; nil with fewer than two tokens.
    var averageTokenTime: Duration? {
        guard let first, let last, tokens > 1 else { return nil }
        // The division of durations is one of 128 bits.
        let (seconds, attoseconds) = (last - first).components
        return .nanoseconds((seconds * 1_000_000_000 + attoseconds / 1_000_000_000) / Int64(tokens - 1))
    }
}
