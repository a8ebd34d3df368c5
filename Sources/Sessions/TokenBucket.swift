package import ServingModel

/// So many a second in the long run, and `burst` at once.
package struct Rate: Hashable, Sendable {
    package var perSecond: Double
    package var burst: Int

    package init(perSecond: Double, burst: Int) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// Counts what a rate allows.
package struct TokenBucket: Hashable, Sendable {
    private let rate: Rate
    private var tokens: Double
    private var filled: Instant

    package init(_ rate: Rate, at now: Instant) {
        self.rate = rate
        tokens = Double(rate.burst)
        filled = now
    }

    /// Takes one.
    ///
    /// - Returns: false if there is none; nothing was taken then.
    package mutating func take(at now: Instant) -> Bool {
        tokens = min(Double(rate.burst), tokens + max(0, (now - filled).seconds) * rate.perSecond)
        filled = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
