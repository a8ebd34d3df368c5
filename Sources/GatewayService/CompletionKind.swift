/// Which of OpenAI's two ways of asking.
enum CompletionKind: Hashable, Sendable {
    /// `/v1/chat/completions`
    case chat
    /// `/v1/completions`
    case text

    /// The field that carries the prompt.
    var promptField: String { self == .chat ? "messages" : "prompt" }

    var identifierPrefix: String { self == .chat ? "chatcmpl-" : "cmpl-" }

    /// The `object` of a whole answer.
    var objectName: String { self == .chat ? "chat.completion" : "text_completion" }

    /// The `object` of a piece of a streamed answer.
    var chunkObjectName: String { self == .chat ? "chat.completion.chunk" : "text_completion" }
}
