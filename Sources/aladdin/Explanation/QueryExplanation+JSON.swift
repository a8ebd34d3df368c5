internal import ServingModel

extension QueryExplanation {
    /// For JSON; what is not known yet is absent.
    var object: [String: Any] {
        var object: [String: Any] = [
            "query_id": id.description, "model": model, "priority": priority, "state": stateName,
            "age_ms": age.milliseconds, "max_tokens": maxTokens, "output_tokens": outputTokens,
            "slo_ms": [
                "ttft": objective.timeToFirstToken.milliseconds, "atgt": objective.averageTokenTime.milliseconds,
            ],
            "attempts": attempts.map(object(of:)),
        ]
        if !tenant.isEmpty { object["tenant"] = tenant }
        object["input_tokens"] = inputTokens
        object["ttft_ms"] = firstToken?.milliseconds
        object["atgt_ms"] = averageTokenTime?.milliseconds
        object["predicted_ttft_ms"] = predictedTimeToFirstToken?.milliseconds
        object["predicted_atgt_ms"] = predictedTokenTime?.milliseconds
        object["ended_ms"] = ended?.milliseconds
        object["met_objective"] = metObjective
        if case .ended(let status) = state { object["status"] = Self.object(of: status) }
        return object
    }

    var stateName: String {
        switch state {
        case .queued: "queued"
        case .placed: "placed"
        case .running: "running"
        case .ended: "ended"
        }
    }

    private func object(of attempt: Attempt) -> [String: Any] {
        var object: [String: Any] = [
            "attempt": attempt.number, "worker": attempt.worker.rawValue, "worker_name": attempt.workerName,
            "policy": attempt.policy, "placed_ms": attempt.placed.milliseconds, "placements": attempt.placements,
        ]
        object["dispatched_ms"] = attempt.dispatched?.milliseconds
        object["first_token_ms"] = attempt.firstToken?.milliseconds
        object["failed_ms"] = attempt.failed?.milliseconds
        if attempt.phase != .whole { object["phase"] = attempt.phase.rawValue }
        object["handed_over_ms"] = attempt.handedOver?.milliseconds
        if let failure = attempt.failure { object["failure"] = Self.object(of: failure) }
        object["predicted_ttft_ms"] = attempt.predictedTimeToFirstToken?.milliseconds
        object["predicted_atgt_ms"] = attempt.predictedTokenTime?.milliseconds
        if let explanation = attempt.explanation {
            object["reason"] = explanation.reason
            object["held_ms"] = explanation.held.milliseconds
            object["batch"] = explanation.batch
            object["candidates"] = explanation.candidates.map(object(of:))
        }
        return object
    }

    private func object(of candidate: PlacementExplanation.Candidate) -> [String: Any] {
        var object: [String: Any] = [
            "worker": candidate.worker.rawValue,
            "terms": Dictionary(candidate.terms.map { ($0.name, $0.value) }) { first, _ in first },
        ]
        object["worker_name"] = name(of: candidate.worker)
        if !candidate.failed.isEmpty { object["failed"] = candidate.failed }
        return object
    }

    private static func object(of status: Status) -> [String: Any] {
        ["code": "\(status.code)", "reason": status.reason.label, "message": status.message]
    }
}
