package import ServingModel

/// What one engine step computes: data for an engine, or for a latency model.
package struct BatchStep: Hashable, Sendable {
    /// Part of a prompt: positions `start..<end` of the prompt followed by the output so far.
    package struct Chunk: Hashable, Sendable {
        package var sequence: SequenceKey
        package var start: Int
        package var end: Int
        /// Whether this chunk is the prompt's last, so that the sequence gets a token.
        package var completesPrompt: Bool
    }

    /// Sequences whose KV memory is taken back before the step, youngest first; they wait again, at the head.
    package var preempted: [SequenceKey]
    /// Sequences prefilled elsewhere that run from this step on, in order of admission; they may be preempted at once.
    package var imported: [SequenceKey] = []
    /// Sequences that decode a token, oldest admission first.
    package var decodes: [SequenceKey]
    /// Oldest admission first.
    package var chunks: [Chunk]
    /// The same work in the latency model's terms.
    package var workload: StepWorkload
}
