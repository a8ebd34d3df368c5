internal import EngineInterface
internal import ServingModel

/// A sequence in the engine: its tokens, the KV blocks it holds, and the state of its text.
struct EngineSequence {
    let sampler: TokenSampler
    /// Prompt, then output.
    private(set) var tokens: [Int32]
    /// Leading tokens whose keys and values are in the cache.
    var computed = 0
    var blocks: [Int32] = []
    private var answer: AnswerText

    init(prompt: [Int32], request: SequenceRequest, contextLength: Int) {
        sampler = TokenSampler(sampling: request.sampling, defaultSeed: request.defaultSeed)
        tokens = prompt
        answer = AnswerText(request, promptTokens: prompt.count, contextLength: contextLength)
    }

    /// Output tokens so far: the next one's index.
    var outputCount: Int { answer.count }

    var isFinished: Bool { answer.isFinished }

    /// Takes in the next output token and says what it changes.
    mutating func append(_ token: Int32, of model: ModelText) -> (text: String, finish: FinishReason?) {
        tokens.append(token)
        return answer.append(token, of: model)
    }
}
