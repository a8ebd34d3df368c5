internal import RecordTables
internal import ServingModel

/// What no worker can do is refused at once.
extension Broker {
    /// Whether any worker of the model could ever serve this within its objective.
    ///
    /// - Parameter home: the place of the model's record.
    mutating func checkFit(of submission: Submission, on model: String, _ home: Int) throws(Status) {
        guard let reach = reach(of: model, home) else { return }
        guard (submission.inputTokens ?? 1) + submission.maxTokens <= reach.contextLength else {
            throw Status(
                .outOfRange,
                .maxTokensOutOfRange,
                "prompt and max_tokens (\(submission.maxTokens)) exceed the model's context of "
                    + "\(reach.contextLength) tokens"
            )
        }
        guard let objective = submission.objective else { return }
        guard objective.timeToFirstToken >= reach.prefill else {
            throw Self.unreachable("time to first token", objective.timeToFirstToken, reach.prefill)
        }
        guard objective.averageTokenTime >= reach.step || submission.maxTokens == 1 else {
            throw Self.unreachable("average token time", objective.averageTokenTime, reach.step)
        }
    }

    /// What the best of a model's workers can do; nil if there is none.
    ///
    /// Found out anew only when one has come or gone.
    private mutating func reach(of model: String, _ home: Int) -> ModelRecord.Reach? {
        if let reach = models[place: home].reach { return reach }
        var reach: ModelRecord.Reach?
        for id in workerOrder {
            guard let joined = workers[id]?.joined, joined.profile.model == model else { continue }
            reach = reach?.including(joined) ?? ModelRecord.Reach(joined)
        }
        models[place: home].reach = reach
        return reach
    }

    private static func unreachable(_ what: String, _ wanted: Interval, _ best: Interval) -> Status {
        Status(
            .failedPrecondition,
            .objectiveUnreachable,
            "no worker can meet this \(what) (\(wanted.milliseconds) ms): unloaded, the fastest takes \(best.milliseconds) ms"
        )
    }
}
