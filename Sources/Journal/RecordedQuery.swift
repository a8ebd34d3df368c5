package import ServingModel

/// A query of the past, as a journal has it: numbers, no text.
package struct RecordedQuery: Hashable, Sendable {
    package var model: String
    package var tenant: String
    package var priority: Int
    package var objective: ServiceLevelObjective
    package var arrival: UnixTime
    /// As the engine counted them, else as the client sent them; nil if neither did.
    package var inputTokens: Int?
    package var end: End?

    package struct End: Hashable, Sendable {
        package var outputTokens: Int
        /// Empty for a query that no worker ran.
        package var worker: String
        /// From arrival.
        package var firstToken: Interval?
        package var lastToken: Interval?
        package var metObjective: Bool

        package init(
            outputTokens: Int,
            worker: String,
            firstToken: Interval?,
            lastToken: Interval?,
            metObjective: Bool
        ) {
            self.outputTokens = outputTokens
            self.worker = worker
            self.firstToken = firstToken
            self.lastToken = lastToken
            self.metObjective = metObjective
        }
    }

    package init(
        model: String,
        tenant: String = "",
        priority: Int = 0,
        objective: ServiceLevelObjective,
        arrival: UnixTime,
        inputTokens: Int?,
        end: End?
    ) {
        self.model = model
        self.tenant = tenant
        self.priority = priority
        self.objective = objective
        self.arrival = arrival
        self.inputTokens = inputTokens
        self.end = end
    }
}
