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
        let candidate = candidate(submission)
        guard case .refuse(let refusal)? = models[model]?.admission?.verdict(for: candidate, at: now) else { return }
        throw refusal.status
    }

    /// A query was accepted, now or before the broker was started anew.
    ///
    /// - Parameter place: of its record.
    mutating func noteAccepted(at place: Int, at now: Instant) {
        let home = queries[place: place].home
        guard models[place: home].admission != nil else { return }
        let candidate = candidate(queries[place: place].submission)
        let (number, arrival) = (queries[place: place].number, queries[place: place].arrival)
        models[place: home].admission?.queryQueued(number, candidate, arrived: arrival, at: now)
    }

    /// A query has ended; its record says how.
    ///
    /// - Parameter place: of its record.
    mutating func noteEnd(at place: Int, with status: Status, at now: Instant) {
        let home = queries[place: place].home
        guard models[place: home].admission != nil else { return }
        let isCounted = queries[place: place].submission.inputTokens != nil
        let promptBytes = isCounted ? 0 : queries[place: place].submission.promptBytes
        let (number, inputTokens) = (queries[place: place].number, queries[place: place].inputTokens)
        let outputTokens = status.isOK ? queries[place: place].output.count : nil
        let metObjective = queries[place: place].metObjective
        models[place: home].admission?.queryEnded(
            number,
            inputTokens: inputTokens,
            promptBytes: promptBytes,
            outputTokens: outputTokens,
            metObjective: metObjective,
            at: now
        )
    }

    private func candidate(_ submission: Submission) -> AdmissionCandidate {
        AdmissionCandidate(
            inputTokens: submission.inputTokens,
            promptBytes: submission.promptBytes,
            objective: submission.objective ?? configuration.objective,
            priority: submission.priority,
            tenant: submission.tenant
        )
    }
}
