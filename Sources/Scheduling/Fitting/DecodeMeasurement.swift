/// How long one decode iteration took.
package struct DecodeMeasurement: Hashable, Sendable {
    /// Sequences that got a token.
    package var batch: Int
    /// Tokens in all of their contexts together.
    package var contextTokens: Int
    package var milliseconds: Double

    package init(batch: Int, contextTokens: Int, milliseconds: Double) {
        self.batch = batch
        self.contextTokens = contextTokens
        self.milliseconds = milliseconds
    }
}
