internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Messages
internal import ServingModel

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows workers, queues, predictions and their error, and how many queries meet their objectives."
    )

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var key: KeyOptions

    func run() async throws {
        let key = try key.clientKey(for: .admin)
        let endpoint = try endpoints.admin()
        let admin = AdminClient(endpoint: endpoint, key: key, logger: .silent)
        do {
            let status = try await admin.status()
            print(json ? try Terminal.json(status.object) : status.text)
        } catch let status as Status {
            Terminal.complain(status.message)
            if let hint = KeyOptions.diagnosis(of: status, at: endpoint, key) { Terminal.complain(hint) }
            throw ExitCode(status.code == .invalidArgument ? 2 : 1)
        }
    }
}

extension ClusterStatus {
    fileprivate var text: String {
        var lines = ["broker \(broker.prefix(8)), up \(Int(uptime.seconds)) s, version \(version)"]
        lines.append(
            policy.isEmpty
                ? "no scheduler is connected: queries go to the worker with the most room"
                : "policy \(policy), \(decisions) decisions, p50 \(decisionP50Microseconds.short) µs, p99 \(decisionP99Microseconds.short) µs"
        )
        if !predictions.isEmpty {
            lines.append(
                "predictions: TTFT off by \(predictions.timeToFirstToken.text), ATGT by \(predictions.tokenTime.text)"
            )
        }
        for fleet in fleets {
            lines.append(
                "fleet \(fleet.model): \(fleet.active) workers serve, \(fleet.starting) are awaited, \(fleet.workers) are wished for "
                    + "(\(fleet.reason)); the load keeps \(fleet.offeredLoad.short) busy"
            )
        }
        lines.append("")
        lines.append(Terminal.table([Self.modelHeadings] + models.map(\.row)))
        lines.append("")
        lines.append(Terminal.table([Self.workerHeadings] + workers.map(\.row)))
        return lines.joined(separator: "\n")
    }

    private static let modelHeadings = [
        "MODEL", "WORKERS", "QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED", "RETRIED", "MET", "TTFT p50/p99 ms",
        "ATGT p50/p99 ms", "TTFT ERROR", "ATGT ERROR",
    ]

    private static let workerHeadings = [
        "WORKER", "ENGINE", "MODEL", "STATE", "QUEUED", "WAITING", "RUNNING", "KV USED", "DONE", "TOKENS", "STEP ERROR",
        "BIAS", "TTFT ERROR", "ATGT ERROR",
    ]

    fileprivate var object: [String: Any] {
        [
            "broker": broker, "version": version, "uptime_ms": uptime.milliseconds, "policy": policy,
            "decisions": decisions,
            "decision_us": ["p50": decisionP50Microseconds, "p99": decisionP99Microseconds],
            "frontend_sessions": frontendSessions,
            "models": models.map(\.object), "workers": workers.map(\.object), "fleets": fleets.map(\.object),
        ].merging(predictions.object) { own, _ in own }
    }
}

extension FleetWish {
    fileprivate var object: [String: Any] {
        [
            "model": model, "workers": workers, "gpus_per_worker": gpusPerWorker, "reason": reason, "active": active,
            "starting": starting, "offered_load": offeredLoad,
        ]
    }
}

extension ModelStatus {
    fileprivate var row: [String] {
        [
            model, "\(workers)", "\(queued)", "\(running)", "\(completed)", "\(failed)", "\(cancelled)", "\(retried)",
            attainment.percent, timeToFirstToken.text, averageTokenTime.text,
            predictions.timeToFirstToken.percent, predictions.tokenTime.percent,
        ]
    }

    fileprivate var object: [String: Any] {
        [
            "model": model, "workers": workers, "queued": queued, "running": running, "completed": completed,
            "failed": failed, "cancelled": cancelled, "refused": refused, "retried": retried,
            "output_tokens": outputTokens, "wasted_tokens": wastedTokens, "attainment": attainment,
            "ttft_ms": timeToFirstToken.object, "atgt_ms": averageTokenTime.object,
        ].merging(predictions.object) { own, _ in own }
    }
}

extension WorkerStatus {
    fileprivate var row: [String] {
        let capacity = profile.kvCache.capacityTokens
        let used = capacity > 0 ? Double(capacity - freeKVTokens) / Double(capacity) : 0
        return [
            name, engine, profile.model, isDraining ? "draining" : "serving", "\(queued)", "\(waiting)", "\(running)",
            used.percent, "\(queriesCompleted)", "\(outputTokens)", stepError.percent, stepBias.percent,
            predictions.timeToFirstToken.percent, predictions.tokenTime.percent,
        ]
    }

    fileprivate var object: [String: Any] {
        [
            "worker": worker.rawValue, "name": name, "engine": engine, "model": profile.model,
            "device": profile.device, "gpus": profile.gpus, "state": isDraining ? "draining" : "serving",
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

extension PredictionErrors.Average {
    fileprivate var percent: String { count == 0 ? "-" : magnitude.percent }

    fileprivate var text: String {
        count == 0 ? "-" : "\(magnitude.percent) (bias \(bias.signedPercent), \(count) compared)"
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
    fileprivate var text: String {
        count == 0 ? "-" : "\(p50Milliseconds.short)/\(p99Milliseconds.short)"
    }

    fileprivate var object: [String: Any] {
        ["p50": p50Milliseconds, "p90": p90Milliseconds, "p99": p99Milliseconds, "count": count]
    }
}

extension Double {
    var short: String { self >= 100 ? String(format: "%.0f", self) : String(format: "%.1f", self) }
    var percent: String { String(format: "%.1f%%", self * 100) }
    var signedPercent: String { String(format: "%+.1f%%", self * 100) }
}
