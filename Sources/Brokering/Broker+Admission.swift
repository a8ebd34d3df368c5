internal import RecordTables
internal import ServingModel

/// What the broker tells admission control, and asks it. Without it every hook does nothing.
extension Broker {
    /// Whether a newcomer can be served within its objective, as far as can be predicted.
    mutating func checkLoad(for submission: Submission, on model: String, at now: Instant) throws(Status) {
        guard configuration.refusesByPrediction else { return }
        guard submission.objective != nil || configuration.admissionCoversAll else { return }
        // It predicts workers that do both phases.
        guard !isSplit(model) else { return }
        let candidate = AdmissionCandidate(submission, standard: configuration.objective)
        guard case .refuse(let refusal)? = models[model]?.admission?.verdict(for: candidate, at: now) else { return }
        throw refusal.status
    }

    /// A query was accepted, now or before the broker was started anew.
    ///
    /// - Parameter place: of its record.
    mutating func noteAccepted(at place: Int, at now: Instant) {
        let home = queries[place: place].home
        guard models[place: home].admission != nil else { return }
        let standard = configuration.objective
        let candidate = queries.withRecord(at: place) { AdmissionCandidate($0.submission, standard: standard) }
        let (number, arrival) = (queries[place: place].number, queries[place: place].arrival)
        models[place: home].admission?.queryQueued(number, candidate, arrived: arrival, at: now)
    }

    /// A query has ended.
    ///
    /// - Parameter place: of its record.
    mutating func noteEnd(at place: Int, _ outcome: QueryOutcome, at now: Instant) {
        let home = queries[place: place].home
        guard models[place: home].admission != nil else { return }
        let isCounted = queries[place: place].submission.inputTokens != nil
        let promptBytes = isCounted ? 0 : queries[place: place].submission.promptBytes
        let number = queries[place: place].number
        models[place: home].admission?.queryEnded(
            number,
            inputTokens: outcome.inputTokens,
            promptBytes: promptBytes,
            outputTokens: outcome.status.isOK ? outcome.outputTokens : nil,
            metObjective: outcome.metObjective,
            at: now
        )
    }
}

extension AdmissionCandidate {
    /// - Parameter standard: the objective of queries that name none.
    fileprivate init(_ submission: Submission, standard: ServiceLevelObjective) {
        self.init(
            inputTokens: submission.inputTokens,
            promptBytes: submission.promptBytes,
            objective: submission.objective ?? standard,
            priority: submission.priority,
            tenant: submission.tenant
        )
    }
}
