package import RecordTables
package import ServingModel

/// What the scheduler keeps of a `QueuedQuery`: all that says something later than its event.
package struct QueuedFacts: Sendable {
    /// What few queries have.
    private struct Incidents: Seldomness {
        var handover: QueuedQuery.Handover?
        var failedOn: WorkerID?
    }

    package let number: QueryNumber
    package let model: String
    package let tenant: String
    package let objective: ServiceLevelObjective
    package let attempt: Int
    package let priority: Int
    package let promptBytes: Int
    package let maxTokens: Int
    package let outputTokens: Int
    @Compact package private(set) var inputTokens: Int?
    @Compact package private(set) var outputTokensHint: Int?
    package let blocks: [UInt64]
    package let blockShare: Double
    private var incidents = Seldom<Incidents>()

    package var handover: QueuedQuery.Handover? { incidents.part({ $0.handover }, or: nil) }

    package var failedOn: WorkerID? { incidents.part({ $0.failedOn }, or: nil) }

    init(_ query: QueuedQuery) {
        number = query.number
        model = query.model
        tenant = query.tenant
        objective = query.objective
        attempt = query.attempt
        priority = query.priority
        promptBytes = query.promptBytes
        maxTokens = query.maxTokens
        outputTokens = query.outputTokens
        blocks = query.blocks
        blockShare = query.blockShare
        inputTokens = query.inputTokens
        outputTokensHint = query.outputTokensHint
        if query.handover != nil || query.failedOn != nil {
            incidents.change { $0 = Incidents(handover: query.handover, failedOn: query.failedOn) }
        }
    }
}
