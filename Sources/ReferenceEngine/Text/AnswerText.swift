package import EngineInterface
package import ServingModel

/// The text of one answer while it grows, and when it ends.
///
/// Tokens that another worker produced are replayed through the same function, so text continues exactly: what was held
/// back there is held back here.
package struct AnswerText {
    private let maxTokens: Int
    /// Tokens that fit into the context after the prompt.
    private let room: Int
    private var emitter: TextEmitter
    /// Output tokens so far: the next one's index.
    package private(set) var count = 0
    package private(set) var isFinished = false

    package init(_ request: SequenceRequest, promptTokens: Int, contextLength: Int) {
        maxTokens = request.maxTokens
        room = contextLength - promptTokens
        emitter = TextEmitter(stops: request.sampling.stop)
    }

    /// Takes in the next output token and says what it changes.
    package mutating func append(_ token: Int32, of model: ModelText) -> (text: String, finish: FinishReason?) {
        count += 1
        guard !model.endTokens.contains(token) else {
            isFinished = true
            return (emitter.flush(), .stop)
        }
        let (text, stopped) = emitter.append(model.tokenizer.bytes(of: token))
        if stopped {
            isFinished = true
            return (text, .stop)
        }
        if count >= maxTokens || count >= room {
            isFinished = true
            return (text + emitter.flush(), .length)
        }
        return (text, nil)
    }

    /// Ends the answer where it is; returns the text that was held back.
    package mutating func end() -> String {
        isFinished = true
        return emitter.flush()
    }
}
