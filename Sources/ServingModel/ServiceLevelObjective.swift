/// What a query was promised: the time to its first token (TTFT) and its average token generation time (ATGT).
///
/// ATGT is the paper's name for what serving systems call TPOT: `(last − first) / (output tokens − 1)`.
public struct ServiceLevelObjective: Hashable, Sendable {
    /// Arrival at the broker to first output token, time held by the scheduler included.
    public var timeToFirstToken: Interval
    /// Mean gap between output tokens after the first.
    public var averageTokenTime: Interval

    public init(timeToFirstToken: Interval, averageTokenTime: Interval) {
        self.timeToFirstToken = timeToFirstToken
        self.averageTokenTime = averageTokenTime
    }

    /// 2 s to the first token and 100 ms a token: what a query gets that asks for nothing.
    public static let standard = ServiceLevelObjective(
        timeToFirstToken: .milliseconds(2000),
        averageTokenTime: .milliseconds(100)
    )

    /// Whether a finished query met both objectives; a single-token answer meets the ATGT by definition.
    public func isMet(arrival: Instant, firstToken: Instant, lastToken: Instant, outputTokens: Int) -> Bool {
        guard firstToken - arrival <= timeToFirstToken else { return false }
        guard outputTokens > 1 else { return true }
        let budget = Double(averageTokenTime.nanoseconds) * Double(outputTokens - 1) + 0.5
        return Double((lastToken - firstToken).nanoseconds) <= budget
    }
}
