package import ServingModel

/// A query of a trace: when it comes and how long it is.
package struct SimulatedQuery: Hashable, Sendable {
    package var arrival: Instant
    package var inputTokens: Int
    /// Length of the answer, at least 1; neither policies nor batching are told.
    package var outputTokens: Int

    package init(arrival: Instant, inputTokens: Int, outputTokens: Int) {
        self.arrival = arrival
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
