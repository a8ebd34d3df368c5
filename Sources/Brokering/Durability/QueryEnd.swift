package import ServingModel

/// How a query ended, with its answer: what its client can read for as long as the result is kept.
package struct QueryEnd: Hashable, Sendable {
    package var at: UnixTime
    package var code: StatusCode
    package var reason: Reason
    /// Never carries prompts or outputs.
    package var message: String
    package var finish: FinishReason?
    package var inputTokens: Int?
    /// All of the answer, from token 0; empty for queries that came to nothing before their first token.
    package var output: OutputPart
    /// The attempt that ended it, and the worker it ran on.
    package var attempt: Int
    package var worker: String
    /// From arrival.
    package var firstToken: Interval?
    package var lastToken: Interval?
    package var metObjective: Bool
    package var rewrites: [Rewrite]

    package init(
        at: UnixTime,
        code: StatusCode,
        reason: Reason = .none,
        message: String = "",
        finish: FinishReason? = nil,
        inputTokens: Int? = nil,
        output: OutputPart = .none,
        attempt: Int = 1,
        worker: String = "",
        firstToken: Interval? = nil,
        lastToken: Interval? = nil,
        metObjective: Bool = false,
        rewrites: [Rewrite] = []
    ) {
        self.at = at
        self.code = code
        self.reason = reason
        self.message = message
        self.finish = finish
        self.inputTokens = inputTokens
        self.output = output
        self.attempt = attempt
        self.worker = worker
        self.firstToken = firstToken
        self.lastToken = lastToken
        self.metObjective = metObjective
        self.rewrites = rewrites
    }
}
