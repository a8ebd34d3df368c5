package import ServingModel

extension SimulatedQuery {
    /// Whether the objectives were kept; a query that did not finish has not kept them.
    package func isMet(by record: QueryRecord) -> Bool {
        guard let firstToken = record.firstToken, let finish = record.finish else { return false }
        return objective.isMet(
            arrival: arrival,
            firstToken: firstToken,
            lastToken: finish,
            outputTokens: outputTokens
        )
    }

    /// Whether it is certain at `now` that the objectives will not have been kept.
    func isLost(by record: QueryRecord, at now: Instant) -> Bool {
        guard let firstToken = record.firstToken else { return now - arrival > objective.timeToFirstToken }
        if firstToken - arrival > objective.timeToFirstToken { return true }
        // A last token that came now would already be late.
        return !objective.isMet(
            arrival: arrival,
            firstToken: firstToken,
            lastToken: record.finish ?? now,
            outputTokens: outputTokens
        )
    }

    package func timeToFirstToken(by record: QueryRecord) -> Interval? {
        record.firstToken.map { $0 - arrival }
    }

    /// Mean time of the tokens after the first, rounded to a nanosecond; nil for an answer of one token or without end.
    package func averageTokenTime(by record: QueryRecord) -> Interval? {
        guard outputTokens > 1, let firstToken = record.firstToken, let finish = record.finish else { return nil }
        let count = Int64(outputTokens - 1)
        return Interval(nanoseconds: ((finish - firstToken).nanoseconds + count / 2) / count)
    }

    /// When its last token may come at the latest if the objectives are to be kept.
    var lastDeadline: Instant {
        let tokens = Double(outputTokens - 1) * objective.averageTokenTime.seconds
        return arrival + objective.timeToFirstToken + .seconds(rounding: min(tokens, 1e9))
    }
}
