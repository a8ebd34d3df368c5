public import ServingModel

/// One query as the engine sees it.
public struct SequenceRequest: Sendable {
    public var id: SequenceID
    public var input: PromptInput
    public var sampling: Sampling
    /// The seed to draw with when `sampling.seed` is nil: the same on every worker for the same query.
    public var defaultSeed: UInt64
    /// Output tokens wanted in all, resumed ones included; at least 1.
    public var maxTokens: Int
    /// Output tokens that an earlier attempt produced elsewhere.
    ///
    /// They are part of the prefill, their text is not emitted again, and the next token has index
    /// `resumedTokens.count`.
    public var resumedTokens: [Int32]
    /// How long the answer will be, where the client said so; only an emulated engine cares.
    public var outputTokensHint: Int?
    /// Whose part this is, as W3C's header says it; nil if nobody traces the query.
    ///
    /// For engines that ask others, or trace themselves.
    public var traceparent: String?
    /// What goes with it.
    public var tracestate: String?

    public init(
        id: SequenceID,
        input: PromptInput,
        sampling: Sampling,
        defaultSeed: UInt64,
        maxTokens: Int,
        resumedTokens: [Int32] = [],
        outputTokensHint: Int? = nil
    ) {
        self.id = id
        self.input = input
        self.sampling = sampling
        self.defaultSeed = defaultSeed
        self.maxTokens = maxTokens
        self.resumedTokens = resumedTokens
        self.outputTokensHint = outputTokensHint
    }
}

/// What one engine step computes.
public struct EngineStep: Sendable {
    /// Part of a prompt: positions `start..<end` of the prompt followed by the output so far.
    public struct Chunk: Hashable, Sendable {
        public var sequence: SequenceID
        public var start: Int
        public var end: Int
        /// Whether this chunk is the prompt's last, so that it yields a token.
        public var completesPrompt: Bool

        public init(sequence: SequenceID, start: Int, end: Int, completesPrompt: Bool) {
            self.sequence = sequence
            self.start = start
            self.end = end
            self.completesPrompt = completesPrompt
        }
    }

    /// Sequences whose KV memory is taken back before the step.
    public var preempted: [SequenceID]
    /// Sequences whose KV cache came from another worker and that decode from this step on.
    ///
    /// The worker has had them imported; nothing is left to do about them.
    public var imported: [SequenceID] = []
    /// Sequences that decode one token.
    public var decodes: [SequenceID]
    public var chunks: [Chunk]
    /// The same work in the latency model's terms.
    public var workload: StepWorkload

    public init(preempted: [SequenceID], decodes: [SequenceID], chunks: [Chunk], workload: StepWorkload) {
        self.preempted = preempted
        self.decodes = decodes
        self.chunks = chunks
        self.workload = workload
    }

    /// Sequences that get a token from this step, in the order that its outputs have.
    public var yielding: [SequenceID] {
        decodes + chunks.filter(\.completesPrompt).map(\.sequence)
    }
}

/// One token of one sequence.
public struct SequenceOutput: Hashable, Sendable {
    public var sequence: SequenceID
    public var token: Int32
    /// The text that became certain with this token: whole characters only, held back while it may turn out to be the
    /// beginning of a stop string.
    ///
    /// The concatenation over all tokens is the answer.
    public var text: String
    /// Set with the sequence's last token.
    public var finish: FinishReason?

    public init(sequence: SequenceID, token: Int32, text: String, finish: FinishReason? = nil) {
        self.sequence = sequence
        self.token = token
        self.text = text
        self.finish = finish
    }
}
