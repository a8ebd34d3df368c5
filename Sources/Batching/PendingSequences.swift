/// A sequence that has no KV memory: new, resumed from another worker, or preempted.
struct WaitingSequence: Hashable, Sendable {
    var key: SequenceKey
    /// Tokens to prefill: the prompt and the output so far.
    var promptTokens: Int
}

/// A sequence whose prompt is on its way into the KV cache; it holds the blocks of the prompt and one token more.
struct PrefillingSequence: Hashable, Sendable {
    var key: SequenceKey
    /// Tokens to prefill: the prompt and the output so far.
    var promptTokens: Int
    /// Those that finished steps have computed.
    var prefilledTokens = 0
}
