public import ServingModel

/// An engine that batches for itself: whole queries go in, streams of tokens come out.
///
/// `Engine` is for what computes one step when it is told to. This protocol is for what decides its steps alone: an
/// inference server, a library with a scheduler of its own. The worker gives it no more queries at once than
/// `EngineDescription.profile.limits.maximumSequences`, and infers from the streams when steps end and how long they
/// take.
///
/// `watch` runs once, in a task that lives as long as the worker; `answer` runs once for each query, any number at a
/// time. Both may be called from any thread. What they report is passed to the closure they are given, in order; the
/// closure never blocks.
public protocol StreamingEngine: Sendable {
    /// Finds out what can be served, says so, and goes on to say when that changes, until its task is cancelled.
    ///
    /// The worker takes no queries before the first `ready`, and none between an `unavailable` and the next `ready`.
    func watch(_ report: @escaping @Sendable (EngineCondition) -> Void) async

    /// Answers one query; cancelling its task means that nobody wants the rest.
    ///
    /// - Returns: why the answer ended, after all its tokens were passed to `output`.
    /// - Throws: a `Status`. `.invalidArgument`, `.outOfRange`, `.failedPrecondition` and `.unimplemented` end the query: no
    ///   other worker would take it. `.resourceExhausted` before the first token is no failure but a wish: the worker
    ///   keeps the query and tries again after `retryAfter`. With anything else the query is tried elsewhere.
    func answer(
        _ request: SequenceRequest,
        _ output: @escaping @Sendable (StreamedTokens) -> Void
    ) async throws(Status) -> StreamedEnd
}

/// What a streaming engine says of itself.
public enum EngineCondition: Hashable, Sendable {
    /// It serves, from now on this.
    case ready(EngineDescription)
    /// It can serve nothing at present; what it was working on is lost.
    case unavailable(Status)
    /// How much it has to do.
    case load(EngineLoad)
}

/// How much a streaming engine has to do, work of others than this worker included.
public struct EngineLoad: Hashable, Sendable {
    /// Queries that wait for a place, nil if the engine doesn't say.
    public var waiting: Int?
    /// Tokens of KV memory in use, nil if the engine doesn't say.
    public var usedKVTokens: Int?

    public init(waiting: Int? = nil, usedKVTokens: Int? = nil) {
        self.waiting = waiting
        self.usedKVTokens = usedKVTokens
    }
}

/// Some tokens of one query, in the order in which they belong.
public struct StreamedTokens: Hashable, Sendable {
    /// How many, at least 1.
    public var count: Int
    /// One for each token, or none if the engine doesn't tell them.
    public var ids: [Int32]
    /// The text that became certain with them: whole characters, nothing of a stop string.
    public var text: String
    /// The prompt, as soon as its length is known.
    public var prompt: PromptCount?

    public init(count: Int, ids: [Int32] = [], text: String, prompt: PromptCount? = nil) {
        self.count = count
        self.ids = ids
        self.text = text
        self.prompt = prompt
    }

    /// Adds the tokens that come next in the same answer.
    package mutating func append(_ more: StreamedTokens) {
        count += more.count
        ids += more.ids
        text += more.text
        prompt = more.prompt ?? prompt
    }
}

/// The length of a prompt as the engine counts it.
public struct PromptCount: Hashable, Sendable {
    public var tokens: Int
    /// Those of them that were in the KV cache already, and cost no time.
    public var cached: Int

    public init(tokens: Int, cached: Int = 0) {
        self.tokens = tokens
        self.cached = cached
    }
}

/// How an answer ended well.
public struct StreamedEnd: Hashable, Sendable {
    public var finish: FinishReason
    public var prompt: PromptCount?

    public init(finish: FinishReason, prompt: PromptCount? = nil) {
        self.finish = finish
        self.prompt = prompt
    }
}
