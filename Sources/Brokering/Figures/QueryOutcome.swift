internal import ServingModel

/// How a query ended, as far as figures are kept of that.
///
/// They are told this rather than the query's record, which would be copied for each of them.
struct QueryOutcome: Sendable {
    let status: Status
    let model: String
    let tenant: String
    let serviceClass: ServiceClass
    /// As the worker counted them; nil if none did.
    let inputTokens: Int?
    let outputTokens: Int
    /// From arrival; nil if there was no first token.
    let timeToFirstToken: Interval?
    /// Nil for fewer than two tokens.
    let averageTokenTime: Interval?
    let duration: Interval?
    let metObjective: Bool
}

extension QueryRecord {
    /// What there is to tell of its end.
    func outcome(_ status: Status) -> QueryOutcome {
        QueryOutcome(
            status: status,
            model: submission.model,
            tenant: submission.tenant,
            serviceClass: ServiceClass(name: submission.objectiveClass, priority: submission.priority),
            inputTokens: inputTokens,
            outputTokens: output.count,
            timeToFirstToken: firstToken.map { $0 - arrival },
            averageTokenTime: averageTokenTime,
            duration: ended.map { $0 - arrival },
            metObjective: metObjective
        )
    }
}
