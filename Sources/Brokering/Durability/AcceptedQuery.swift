package import ServingModel

/// What is written down of a query when it is accepted: all that another broker needs to serve it.
package struct AcceptedQuery: Hashable, Sendable {
    /// Grows over the whole life of the journal; never used again.
    package var number: QueryNumber
    package var id: QueryID
    package var durability: Durability
    /// Who sent it; empty where nobody has to say.
    package var owner: String
    /// The client's name for it, unique for its owner as long as it is kept; nil if it gave none.
    package var idempotencyKey: String?
    /// Of what was asked: the same key with another hash is another request.
    package var requestHash: UInt64
    package var model: String
    /// Known exactly only where the client sent tokens.
    package var inputTokens: Int?
    package var promptBytes: Int
    package var maxTokens: Int
    package var outputTokensHint: Int?
    package var objective: ServiceLevelObjective
    package var priority: Int
    package var tenant: String
    package var arrival: UnixTime
    package var deadline: UnixTime?
    /// The request as it goes to workers; dropped when the query has ended.
    package var request: OpaqueRequest

    package init(
        number: QueryNumber,
        id: QueryID,
        durability: Durability = .accept,
        owner: String = "",
        idempotencyKey: String? = nil,
        requestHash: UInt64 = 0,
        model: String,
        inputTokens: Int? = nil,
        promptBytes: Int,
        maxTokens: Int,
        outputTokensHint: Int? = nil,
        objective: ServiceLevelObjective = .standard,
        priority: Int = 0,
        tenant: String = "",
        arrival: UnixTime,
        deadline: UnixTime? = nil,
        request: OpaqueRequest
    ) {
        self.number = number
        self.id = id
        self.durability = durability
        self.owner = owner
        self.idempotencyKey = idempotencyKey
        self.requestHash = requestHash
        self.model = model
        self.inputTokens = inputTokens
        self.promptBytes = promptBytes
        self.maxTokens = maxTokens
        self.outputTokensHint = outputTokensHint
        self.objective = objective
        self.priority = priority
        self.tenant = tenant
        self.arrival = arrival
        self.deadline = deadline
        self.request = request
    }

    package var key: IdempotencyKey? {
        idempotencyKey.map { IdempotencyKey(owner: owner, key: $0) }
    }
}
