/// How the next token is drawn from the model's distribution.
public struct Sampling: Hashable, Sendable {
    /// 0 is greedy: the most likely token, the lowest identifier on ties.
    public var temperature: Double
    /// Smallest set of most likely tokens whose probabilities reach this; 1 is all.
    public var topP: Double
    /// Only the k most likely tokens; 0 is all.
    public var topK: Int
    /// Same seed, same prompt, same model: same tokens.
    ///
    /// Nil lets the worker derive one from the query's identifier.
    public var seed: UInt64?
    /// Generation ends before any of these appears in the text.
    public var stop: [String]

    public init(temperature: Double = 0, topP: Double = 1, topK: Int = 0, seed: UInt64? = nil, stop: [String] = []) {
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.seed = seed
        self.stop = stop
    }
}

/// One turn of a conversation.
public struct ChatMessage: Hashable, Sendable {
    /// `system`, `user` or `assistant`.
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

/// What a query asks the model to continue.
public enum PromptInput: Hashable, Sendable {
    case text(String)
    case chat([ChatMessage])
    case tokens([Int32])
}
