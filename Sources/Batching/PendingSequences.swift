internal import ServingModel

/// A sequence that holds no KV memory here: new, resumed from another worker, or preempted.
struct WaitingSequence: Hashable, Sendable {
    var key: SequenceKey
    /// Tokens to prefill: the prompt and the output so far.
    var promptTokens: Int
    /// Its KV memory was filled on another worker and is here to be taken over: there is nothing to prefill.
    var isPrefilled = false
    /// What its prompt begins with, if prefixes are kept.
    var blocks = PromptBlocks.none
}

/// A sequence whose prompt is on its way into the KV cache; it holds the blocks of the prompt and one token more.
struct PrefillingSequence: Hashable, Sendable {
    var key: SequenceKey
    /// Tokens to prefill: the prompt and the output so far.
    var promptTokens: Int
    /// Those that finished steps have computed, or that were in the KV cache when it was admitted.
    var prefilledTokens = 0
    /// Those that were in the KV cache when it was admitted.
    var cachedTokens = 0
    var blocks = PromptBlocks.none
}
