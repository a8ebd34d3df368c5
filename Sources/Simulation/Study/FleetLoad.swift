package import ServingModel

/// How busy a fleet is at one moment.
package struct FleetLoad: Hashable, Sendable {
    package var time: Instant
    /// Workers that serve.
    package var workers: Int
    /// Of those, with a step in progress.
    package var busy = 0
    /// Queries that are decoded.
    package var running = 0
    /// Queries on workers that are prefilled or wait for it.
    package var queued = 0
    /// Queries that the scheduler has not placed.
    package var held = 0
}

/// Tokens that came later than their objectives' pace, of all tokens due.
package struct TokenLateness: Hashable, Sendable {
    package var tokens = 0
    package var late = 0

    package init(tokens: Int = 0, late: Int = 0) {
        self.tokens = tokens
        self.late = late
    }

    package var share: Double { tokens > 0 ? Double(late) / Double(tokens) : 0 }
}
