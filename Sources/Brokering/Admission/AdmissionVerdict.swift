package import ServingModel

/// What admission control says to a query that asks to be let in.
package enum AdmissionVerdict: Hashable, Sendable {
    case admit
    case refuse(AdmissionRefusal)
}

/// Why a query is not let in: what it would get, what it asked for, and when that may be different.
package struct AdmissionRefusal: Hashable, Sendable {
    package enum Objective: Hashable, Sendable {
        case timeToFirstToken
        case averageTokenTime
    }

    /// The one that would not be kept; the time to the first token if neither would.
    package var fails: Objective
    /// What the query was to get.
    package var objective: ServiceLevelObjective
    package var predictedTimeToFirstToken: Interval
    /// The pace that nearly all queries would have, not the mean one.
    package var predictedTokenTime: Interval
    /// The query's own average token time, or that of the queries under way where it is tighter.
    package var neededTokenTime: Interval
    /// When the prediction will have fallen to the objective at the present rate of departure, after those that were
    /// refused before and come back.
    package var retryAfter: Interval

    /// As the client hears it.
    package var status: Status {
        let first = "a time to first token of \(predictedTimeToFirstToken.wholeMilliseconds) ms is predicted"
        let message =
            switch fails {
            case .timeToFirstToken:
                "overloaded: \(first), the objective is \(objective.timeToFirstToken.wholeMilliseconds) ms"
            case .averageTokenTime:
                """
                overloaded: an average token time of \(predictedTokenTime.wholeMilliseconds) ms is predicted, \
                \(neededTokenTime < objective.averageTokenTime ? "queries under way need" : "the objective is") \
                \(neededTokenTime.wholeMilliseconds) ms; \(first)
                """
            }
        return Status(.resourceExhausted, .overloaded, message, retryAfter: retryAfter)
    }
}

extension Interval {
    /// Rounded up, so that a prediction just beyond an objective does not read like it.
    fileprivate var wholeMilliseconds: Int64 { (nanoseconds + 999_999) / 1_000_000 }
}
