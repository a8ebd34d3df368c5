package import ServingModel

/// A query that asks to be let in, as far as admission control looks at it.
package struct AdmissionCandidate: Hashable, Sendable {
    /// Nil if only the worker's tokeniser can tell; `promptBytes` then has to do.
    package var inputTokens: Int?
    package var promptBytes: Int
    package var objective: ServiceLevelObjective
    /// Higher is refused later; negative may be shed.
    package var priority: Int
    package var tenant: String

    package init(
        inputTokens: Int?,
        promptBytes: Int = 0,
        objective: ServiceLevelObjective,
        priority: Int = 0,
        tenant: String = ""
    ) {
        self.inputTokens = inputTokens
        self.promptBytes = promptBytes
        self.objective = objective
        self.priority = priority
        self.tenant = tenant
    }
}
