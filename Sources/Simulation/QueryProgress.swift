internal import ServingModel

/// A query under way in a simulation.
struct QueryProgress: Hashable, Sendable {
    /// Its arrival is known from the start or, in a conversation, when its predecessor has ended.
    var query: SimulatedQuery
    var record = QueryRecord()
    /// Output tokens to come; while the query runs, as of its last prefill.
    var remainingTokens: Int
    /// When its last token will come; nil unless it runs.
    var plannedFinish: PlannedFinish?
    /// Its KV cache is on the decode side, or on its way there.
    var isPrefilled = false

    init(_ query: SimulatedQuery) {
        precondition(query.inputTokens > 0 && query.outputTokens > 0, "a query needs a prompt and an answer")
        self.query = query
        remainingTokens = query.outputTokens
    }

    /// Tokens that it got; as of its last prefill while it runs.
    var generatedTokens: Int { query.outputTokens - remainingTokens }
    /// Prompt and output so far.
    var contextTokens: Int { query.inputTokens + generatedTokens }
}

/// The decode of a worker that will give a running query its last token.
///
/// Running queries advance together, so this is known as soon as a query begins to run, and the decodes in between need
/// not look at it. The plan falls with a preemption.
struct PlannedFinish: Hashable, Comparable, Sendable {
    /// Number of that decode, counted by its worker.
    var decode: Int
    /// Place in the order in which the worker's queries began to run, which is also that of a step's decodes.
    var order: Int
    /// Index of the query in its trace.
    var query: Int

    static func < (left: PlannedFinish, right: PlannedFinish) -> Bool {
        (left.decode, left.order) < (right.decode, right.order)
    }
}
