extension BrokerConfiguration {
    /// This configuration with everything of another that a broker can take over while it works.
    ///
    /// What is under way keeps the objective and the limits that it was accepted with.
    package func adopting(_ other: BrokerConfiguration) -> BrokerConfiguration {
        var adopted = self
        adopted.objective = other.objective
        adopted.objectiveClasses = other.objectiveClasses
        adopted.shard = other.shard
        adopted.refusesByPrediction = other.refusesByPrediction
        adopted.admissionCoversAll = other.admissionCoversAll
        adopted.maximumQueries = other.maximumQueries
        adopted.maximumQueriesPerSession = other.maximumQueriesPerSession
        adopted.maximumTokens = other.maximumTokens
        adopted.enginePatience = other.enginePatience
        return adopted
    }
}
