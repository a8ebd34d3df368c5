internal import EngineInterface
internal import ServingModel

/// A sequence in the engine: its tokens, the KV blocks it holds, and the state of its text.
struct EngineSequence {
    let promptCount: Int
    let maxTokens: Int
    let sampler: TokenSampler
    /// Prompt, then output.
    private(set) var tokens: [Int32]
    /// Leading tokens whose keys and values are in the cache.
    var computed = 0
    var blocks: [Int32] = []
    private var emitter: TextEmitter
    private(set) var isFinished = false

    init(prompt: [Int32], request: SequenceRequest) {
        promptCount = prompt.count
        maxTokens = request.maxTokens
        sampler = TokenSampler(sampling: request.sampling, defaultSeed: request.defaultSeed)
        tokens = prompt
        emitter = TextEmitter(stops: request.sampling.stop)
    }

    /// Output tokens so far: the next one's index.
    var outputCount: Int { tokens.count - promptCount }

    /// Takes in the next output token and says what it changes.
    ///
    /// Tokens that another worker produced are replayed through the same function, so text continues exactly: what was
    /// held back there is held back here.
    mutating func append(
        _ token: Int32,
        tokenizer: Tokenizer,
        endTokens: Set<Int32>,
        contextLength: Int
    ) -> (text: String, finish: FinishReason?) {
        tokens.append(token)
        guard !endTokens.contains(token) else {
            isFinished = true
            return (emitter.flush(), .stop)
        }
        let (text, stopped) = emitter.append(tokenizer.bytes(of: token))
        if stopped {
            isFinished = true
            return (text, .stop)
        }
        if outputCount >= maxTokens || tokens.count >= contextLength {
            isFinished = true
            return (text + emitter.flush(), .length)
        }
        return (text, nil)
    }
}
