package import EngineInterface
package import ServingModel

/// What the engine's thread does in one go.
package struct EngineTurn: Sendable {
    package var releases: [SequenceID] = []
    /// Sequences whose KV cache is left for others; they are released with that.
    package var exports: [SequenceID] = []
    /// KV caches that admissions take over, by their names in the exchange.
    package var imports: [SequenceID: String] = [:]
    package var admissions: [SequenceRequest] = []
    package var step: EngineStep?

    package init() {}
}

/// What came of a turn.
package struct EngineTurnResult: Sendable {
    package struct Admission: Sendable {
        package var sequence: SequenceID
        /// The prompt's tokens, or why it was refused.
        package var promptTokens: Result<Int, Status>
        /// What the prompt begins with, if the engine keeps prefixes.
        package var blocks = PromptBlocks.none

        package init(sequence: SequenceID, promptTokens: Result<Int, Status>) {
            self.sequence = sequence
            self.promptTokens = promptTokens
        }
    }

    package struct Export: Sendable {
        package var sequence: SequenceID
        /// What was left, and when it has arrived.
        package var cache: Result<(name: String, bytes: Int, ready: Instant), Status>

        package init(sequence: SequenceID, cache: Result<(name: String, bytes: Int, ready: Instant), Status>) {
            self.sequence = sequence
            self.cache = cache
        }
    }

    package var exports: [Export] = []
    package var admissions: [Admission] = []
    /// Nil if the turn had no step.
    package var outputs: Result<[SequenceOutput], Status>?
    /// Of the step alone.
    package var duration = Interval.zero

    package init() {}
}
