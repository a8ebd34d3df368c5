package import ServingModel

/// A query that has passed validation, ready to be accepted.
package struct Submission: Hashable, Sendable {
    /// Empty for the only model served.
    package var model: String
    /// Known exactly only where the client sent tokens.
    package var inputTokens: Int?
    package var promptBytes: Int
    /// What the prompt begins with, for whoever places it; not kept across a restart.
    package var blocks: [UInt64] = []
    package var maxTokens: Int
    package var outputTokensHint: Int?
    /// Nil takes the service's default, which is never a reason to refuse.
    package var objective: ServiceLevelObjective?
    /// The name by which it asked for its objective; empty for none.
    package var objectiveClass = ""
    package var priority: Int
    package var tenant: String
    /// The only worker that may run it, without the scheduler's say; nil for any.
    package var worker: WorkerID?
    /// From arrival; nothing is started after it and what runs is stopped.
    package var timeout: Interval?
    /// The request as it goes to the worker; opaque here.
    package var request: OpaqueRequest
    /// How much of it is to outlive the broker; no more than the broker's journal allows.
    package var durability = Durability.accept
    /// Within whom its idempotency key is unique: its tenant.
    package var owner = ""
    /// The client's own name for it: another submission under the same name is the same query.
    package var idempotencyKey: String?
    /// Where it belongs in its client's trace, if it says so.
    package var trace: TraceContext?
    /// OpenTelemetry's word for what is asked: `chat` or `text_completion`.
    package var operation = "text_completion"
    /// Of all that was asked but metadata; tells two requests under one name apart.
    package var requestHash: UInt64 = 0

    package init(
        model: String,
        inputTokens: Int?,
        promptBytes: Int,
        maxTokens: Int,
        outputTokensHint: Int? = nil,
        objective: ServiceLevelObjective? = nil,
        priority: Int = 0,
        tenant: String = "",
        timeout: Interval? = nil,
        request: OpaqueRequest
    ) {
        self.model = model
        self.inputTokens = inputTokens
        self.promptBytes = promptBytes
        self.maxTokens = maxTokens
        self.outputTokensHint = outputTokensHint
        self.objective = objective
        self.priority = priority
        self.tenant = tenant
        self.timeout = timeout
        self.request = request
    }
}
