internal import EngineInterface
internal import ServingModel

/// A sequence in an emulated engine: how far it is, and how long it will be.
struct EmulatedSequence: Sendable {
    /// Tokens of the prompt without output.
    let promptTokens: Int
    /// Output tokens after which the sequence ends, and why it does.
    let outputTokens: Int
    let finish: FinishReason
    let text: PlaceholderText

    /// Output tokens so far, those of an earlier attempt included.
    private(set) var emittedTokens: Int
    /// Tokens in the KV cache.
    var cachedTokens = 0

    /// A sequence of which nothing is computed; `room` is the output that the context holds beside the prompt.
    init(_ request: SequenceRequest, promptTokens: Int, room: Int) {
        self.promptTokens = promptTokens
        let limit = min(request.maxTokens, room)
        let wanted = max(request.outputTokensHint ?? limit, request.resumedTokens.count + 1)
        outputTokens = min(wanted, limit)
        finish = wanted < limit ? .stop : .length
        text = PlaceholderText(seed: request.sampling.seed ?? request.defaultSeed)
        emittedTokens = request.resumedTokens.count
    }

    /// Drops the KV memory; the tokens stay.
    mutating func preempt() {
        cachedTokens = 0
    }

    /// Computes a chunk; false if it does not follow on what is cached, or is wrong about the prompt's end.
    ///
    /// - Parameter keepsPrefixes: whether a first chunk may begin where an earlier prompt just like it went on.
    mutating func prefill(_ chunk: EngineStep.Chunk, keepsPrefixes: Bool) -> Bool {
        let total = promptTokens + emittedTokens
        if keepsPrefixes, cachedTokens == 0 { cachedTokens = chunk.start }
        guard chunk.start == cachedTokens, chunk.start < chunk.end, chunk.end <= total else { return false }
        cachedTokens = chunk.end
        return chunk.completesPrompt == (chunk.end == total)
    }

    /// Takes the last token into the cache; false if what precedes it is not there.
    mutating func decode() -> Bool {
        cachedTokens += 1
        return cachedTokens == promptTokens + emittedTokens
    }

    /// The next token.
    mutating func emit(as id: SequenceID) -> SequenceOutput {
        let (token, text) = text.token(at: emittedTokens)
        emittedTokens += 1
        return SequenceOutput(
            sequence: id,
            token: token,
            text: text,
            finish: emittedTokens >= outputTokens ? finish : nil
        )
    }
}
