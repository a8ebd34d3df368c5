/// What can be set about the CPU engine; the defaults serve.
package struct ReferenceEngineConfiguration: Sendable {
    /// The model's name as clients write it; nil takes the directory's name, or `aladdin-tiny` for the embedded model.
    package var modelName: String?
    /// Threads that compute, the calling one included; nil is one per processor.
    package var threads: Int?
    /// Tokens whose keys and values fit in memory at once, rounded up to blocks of 16.
    ///
    /// Nil takes what a gigabyte holds, at most 64 full contexts. The context is never longer than this.
    package var kvCapacityTokens: Int?
    /// Upper bound on the context in tokens; nil takes the model's own.
    package var contextLength: Int?
    /// Sequences resident at once.
    package var maximumSequences = 64
    /// Prompt tokens in one prefill step.
    package var maximumBatchedTokens = 2048
    /// Tokens in one mixed step.
    package var chunkTokens = 256
    /// Whether beginnings of prompts stay in the KV cache, while there is room, for prompts that begin the same.
    package var keepsPrefixes = false
    /// Whether a few steps are timed at start, for the profile's first guess of the speed.
    ///
    /// That takes well under a second. Without it the coefficients are zero.
    package var measuresSpeed = true

    package init() {}
}
