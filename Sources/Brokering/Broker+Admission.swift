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
    mutating func noteAccepted(_ record: QueryRecord, at now: Instant) {
        let candidate = candidate(record.submission)
        models[record.model]?.admission?.queryQueued(record.number, candidate, arrived: record.arrival, at: now)
    }

    /// A query has ended; its record says how.
    mutating func noteEnd(of record: QueryRecord, with status: Status, at now: Instant) {
        models[record.model]?.admission?.queryEnded(
            record.number,
            inputTokens: record.inputTokens,
            promptBytes: record.submission.inputTokens == nil ? record.submission.promptBytes : 0,
            outputTokens: status.isOK ? record.output.count : nil,
            metObjective: record.metObjective,
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
