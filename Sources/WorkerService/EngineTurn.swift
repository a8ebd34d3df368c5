package import EngineInterface
package import ServingModel

/// What the engine's thread does in one go.
package struct EngineTurn: Sendable {
    package var releases: [SequenceID] = []
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

    package var admissions: [Admission] = []
    /// Nil if the turn had no step.
    package var outputs: Result<[SequenceOutput], Status>?
    /// Of the step alone.
    package var duration = Interval.zero

    package init() {}
}
