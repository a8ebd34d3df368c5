internal import Scheduling
package import ServingModel

/// How fast a query is that has a worker to itself: what no objective can go below.
package struct UnloadedLatency: Hashable, Sendable {
    /// Its prefill.
    package let timeToFirstToken: Interval
    /// The mean of its decode steps; nil for one token.
    package let averageTokenTime: Interval?

    package init(profile: LatencyProfile, inputTokens: Int, outputTokens: Int) {
        let model = StepModel(profile)
        let tokens = Double(inputTokens)
        timeToFirstToken = .seconds(rounding: model.prefill(tokens: tokens, squares: tokens * tokens))
        averageTokenTime =
            outputTokens > 1
            ? .seconds(rounding: model.decode(sequences: 1, context: tokens + Double(outputTokens) / 2)) : nil
    }

    /// Whether an objective leaves at least this much time.
    package func isWithin(_ objective: ServiceLevelObjective) -> Bool {
        timeToFirstToken <= objective.timeToFirstToken
            && averageTokenTime.map { $0 <= objective.averageTokenTime } ?? true
    }
}
