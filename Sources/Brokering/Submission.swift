package import RecordTables
package import ServingModel

/// A query that has passed validation, ready to be accepted.
///
/// It stays with its query for as long as that is kept, and there are many of those: what most do not ask for lies in a
/// place of its own.
package struct Submission: Hashable, Sendable {
    /// OpenTelemetry's words for what is asked.
    package enum Operation: String, Hashable, Sendable {
        case textCompletion = "text_completion"
        case chat
    }

    /// What few submissions have.
    private struct Particulars: Seldomness, Hashable {
        var objectiveClass = ""
        var worker: WorkerID?
        /// Nil for its tenant.
        var owner: String?
        var idempotencyKey: String?
        var requestHash: UInt64 = 0
        var trace: TraceContext?
    }

    /// Empty for the only model served; its name once the query is accepted.
    package var model: String
    package var tenant: String
    @Compact private var timeToFirstToken: Interval?
    @Compact private var averageTokenTime: Interval?
    /// Known exactly only where the client sent tokens.
    @Compact package var inputTokens: Int?
    package var promptBytes: Int
    package var maxTokens: Int
    @Compact package var outputTokensHint: Int?
    package var priority: Int
    /// From arrival; nothing is started after it and what runs is stopped.
    @Compact package var timeout: Interval?
    /// What the prompt begins with, for whoever places it; not kept across a restart.
    package var blocks: [UInt64] = []
    /// The request as it goes to the worker; opaque here.
    package var request: OpaqueRequest
    private var particulars = Seldom<Particulars>()
    /// How much of it is to outlive the broker; no more than the broker's journal allows.
    package var durability = Durability.accept
    package var operation = Operation.textCompletion

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
        self.priority = priority
        self.tenant = tenant
        self.timeout = timeout
        self.request = request
        self.objective = objective
    }
}

extension Submission {
    /// Nil takes the service's default, which is never a reason to refuse; what it took once the query is accepted.
    package var objective: ServiceLevelObjective? {
        get {
            guard let timeToFirstToken, let averageTokenTime else { return nil }
            return ServiceLevelObjective(timeToFirstToken: timeToFirstToken, averageTokenTime: averageTokenTime)
        }
        set { (timeToFirstToken, averageTokenTime) = (newValue?.timeToFirstToken, newValue?.averageTokenTime) }
    }

    /// The name by which it asked for its objective; empty for none.
    package var objectiveClass: String {
        get { particulars.part({ $0.objectiveClass }, or: "") }
        set { if !newValue.isEmpty || particulars.isPresent { particulars.change { $0.objectiveClass = newValue } } }
    }

    /// The only worker that may run it, without the scheduler's say; nil for any.
    package var worker: WorkerID? {
        get { particulars.part({ $0.worker }, or: nil) }
        set { if newValue != nil || particulars.isPresent { particulars.change { $0.worker = newValue } } }
    }

    /// Within whom its idempotency key is unique: its tenant, unless another is named.
    package var owner: String {
        get { particulars.part({ $0.owner }, or: nil) ?? tenant }
        set {
            let other = newValue == tenant ? nil : newValue
            if other != nil || particulars.isPresent { particulars.change { $0.owner = other } }
        }
    }

    /// The client's own name for it: another submission under the same name is the same query.
    package var idempotencyKey: String? {
        get { particulars.part({ $0.idempotencyKey }, or: nil) }
        set { if newValue != nil || particulars.isPresent { particulars.change { $0.idempotencyKey = newValue } } }
    }

    /// The same beside that of its owner.
    var key: IdempotencyKey? { idempotencyKey.map { IdempotencyKey(owner: owner, key: $0) } }

    /// Of all that was asked but metadata; tells two requests under one name apart.
    package var requestHash: UInt64 {
        get { particulars.part({ $0.requestHash }, or: 0) }
        set { if newValue != 0 || particulars.isPresent { particulars.change { $0.requestHash = newValue } } }
    }

    /// Where it belongs in its client's trace, if it says so.
    package var trace: TraceContext? {
        get { particulars.part({ $0.trace }, or: nil) }
        set { if newValue != nil || particulars.isPresent { particulars.change { $0.trace = newValue } } }
    }
}
