internal import Foundation
internal import Messages
internal import ServingModel

extension ClusterStatus {
    /// The whole status for programs: `aladdin status --json` and the gateway's `/v1/cluster`.
    var object: [String: Any] {
        [
            "broker": broker, "version": version, "uptime_ms": uptime.milliseconds, "policy": policy,
            "decisions": decisions,
            "decision_us": ["p50": decisionP50Microseconds, "p99": decisionP99Microseconds],
            "frontend_sessions": frontendSessions,
            "models": models.map(\.object), "workers": workers.map(\.object), "fleets": fleets.map(\.object),
        ]
        .merging(predictions.object) { own, _ in own }
        .merging(objective.map { ["objective": $0.object] } ?? [:]) { own, _ in own }
    }
}

extension ServiceLevelObjective {
    fileprivate var object: [String: Double] {
        ["ttft_ms": timeToFirstToken.seconds * 1e3, "atgt_ms": averageTokenTime.seconds * 1e3]
    }
}

extension FleetWish {
    fileprivate var object: [String: Any] {
        [
            "model": model, "workers": workers, "gpus_per_worker": gpusPerWorker, "reason": reason, "active": active,
            "starting": starting, "offered_load": offeredLoad, "role": role.rawValue,
        ]
    }
}

extension ModelStatus {
    fileprivate var object: [String: Any] {
        [
            "model": model, "workers": workers, "queued": queued, "running": running, "completed": completed,
            "failed": failed, "cancelled": cancelled, "refused": refused, "retried": retried,
            "output_tokens": outputTokens, "wasted_tokens": wastedTokens, "attainment": attainment,
            "ttft_ms": timeToFirstToken.object, "atgt_ms": averageTokenTime.object,
            "handovers": handovers, "handovers_failed": failedHandovers, "handover_bytes": handoverBytes,
        ].merging(predictions.object) { own, _ in own }
    }
}

extension WorkerStatus {
    fileprivate var object: [String: Any] {
        [
            "worker": worker.rawValue, "name": name, "engine": engine, "model": profile.model,
            "device": profile.device, "gpus": profile.gpus, "state": isDraining ? "draining" : "serving",
            "role": role.rawValue,
            "queued": queued, "waiting": waiting, "running": running,
            "kv_capacity_tokens": profile.kvCache.capacityTokens, "kv_free_tokens": freeKVTokens,
            "completed": queriesCompleted, "output_tokens": outputTokens, "step_rel_error": stepError,
            "step_rel_bias": stepBias, "steps": steps, "last_step_age_ms": lastStepAge.milliseconds,
            "profile": profile.object,
        ].merging(predictions.object) { own, _ in own }
    }
}

extension PredictionErrors {
    fileprivate var object: [String: Any] {
        [
            "ttft_rel_error": timeToFirstToken.magnitude, "ttft_rel_bias": timeToFirstToken.bias,
            "ttft_predictions": timeToFirstToken.count,
            "atgt_rel_error": tokenTime.magnitude, "atgt_rel_bias": tokenTime.bias,
            "atgt_predictions": tokenTime.count,
        ]
    }
}

extension LatencyProfile {
    fileprivate var object: Any {
        guard let data = try? JSONEncoder().encode(self), let object = try? JSONSerialization.jsonObject(with: data)
        else { return [String: Any]() }
        return object
    }
}

extension LatencySummary {
    fileprivate var object: [String: Any] {
        ["p50": p50Milliseconds, "p90": p90Milliseconds, "p99": p99Milliseconds, "count": count]
    }
}
