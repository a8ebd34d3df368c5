internal import Messages
internal import ServingModel

/// One query as its client knows it, so that it can be asked for again in another session.
struct QueryCall: Sendable {
    private var request: QueryRequest?
    private(set) var id: String
    /// On whose account; empty for that of the client's key.
    private(set) var tenant: String
    private var durability = Durability.volatile
    /// The next token to hear, and the latest attempt heard of.
    private var nextIndex: Int
    private var seenAttempt = 0
    private var wasToldAccepted = false

    /// - Parameter name: the idempotency key of a request that brings none.
    init(_ request: QueryRequest, name: String) {
        self.request = request
        id = ""
        tenant = request.tenant
        nextIndex = 0
        if !request.metadata.contains(where: { $0.key == "idempotency-key" }) {
            self.request?.metadata.append(("idempotency-key", name))
        }
    }

    /// A query that was accepted before.
    init(id: String, from index: Int, tenant: String) {
        self.id = id
        self.tenant = tenant
        nextIndex = index
        durability = .accept
    }

    var isAccepted: Bool { !id.isEmpty }

    /// Whether it was submitted here, and not only attached to.
    var isOwn: Bool { request != nil }

    /// Whether another session can take it up.
    ///
    /// Before it was accepted it can be sent again under its name; after that only what the broker has written down is
    /// certain to be there.
    var survivesSession: Bool { id.isEmpty || durability != .volatile }

    /// What to call in this session.
    var method: Method { id.isEmpty && isOwn ? .generate : .attach }

    /// What to say with it.
    var message: any WireMessage {
        guard id.isEmpty, let request else {
            return AttachRequest(
                queryID: id,
                firstIndex: nextIndex,
                seenAttempt: seenAttempt,
                tenant: tenant
            )
        }
        return GenerateRequest(
            model: request.model,
            input: request.input,
            maxTokens: request.maxTokens,
            sampling: request.sampling,
            metadata: request.metadata.map { MetadataEntry($0.key, $0.value) }
        )
    }

    /// Takes in what the broker says.
    ///
    /// - Returns: what is news to the reader; nil for what an earlier session told already.
    mutating func hear(_ news: QueryEvent, _ event: GenerateEvent) -> QueryEvent? {
        switch event {
        case .accepted(let accepted):
            id = accepted.queryID
            durability = accepted.durability
            guard !wasToldAccepted else { return nil }
            wasToldAccepted = true
        case .started(let started):
            guard started.attempt > seenAttempt else { return nil }
            seenAttempt = started.attempt
        case .tokens(let tokens):
            guard tokens.firstIndex + tokens.count > nextIndex else { return nil }
            nextIndex = tokens.firstIndex + tokens.count
        case .reset(let index):
            nextIndex = min(nextIndex, index)
        case .finished:
            break
        }
        return news
    }
}
