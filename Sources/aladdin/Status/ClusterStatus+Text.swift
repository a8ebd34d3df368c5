internal import Foundation
internal import Messages
internal import ServingModel

extension ClusterStatus {
    /// The status for people, as tables.
    var text: String {
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
            let serving = fleet.active == 1 ? "1 worker serves" : "\(fleet.active) workers serve"
            lines.append(
                "fleet \(fleet.name): \(serving), \(fleet.starting) are awaited, \(fleet.workers) are wished for "
                    + "(\(fleet.reason)); the load keeps \(fleet.offeredLoad.short) busy"
            )
        }
        for model in models where model.handovers > 0 {
            let bytes = Double(model.handoverBytes) / 1_048_576
            lines.append(
                "KV caches of \(model.model): \(model.handovers) handed over, \(bytes.short) MiB in all, "
                    + "\(model.failedHandovers) did not arrive"
            )
        }
        lines.append("")
        lines.append(Terminal.table([Self.modelHeadings] + models.map(\.row)))
        lines.append("")
        let isSplit = workers.contains { $0.role != .both }
        let rows = workers.map { worker in
            isSplit ? Array(worker.row.prefix(4)) + [worker.role.rawValue] + Array(worker.row.dropFirst(4)) : worker.row
        }
        lines.append(Terminal.table([Self.headings(isSplit: isSplit)] + rows))
        return lines.joined(separator: "\n")
    }

    private static let modelHeadings = [
        "MODEL", "WORKERS", "QUEUED", "RUNNING", "DONE", "FAILED", "REFUSED", "CANCELLED", "RETRIED", "MET",
        "TTFT p50/p99 ms", "ATGT p50/p99 ms", "TTFT ERROR", "ATGT ERROR",
    ]

    /// Roles are worth a column where there are different ones.
    private static func headings(isSplit: Bool) -> [String] {
        ["WORKER", "ENGINE", "MODEL", "STATE"] + (isSplit ? ["ROLE"] : []) + workerHeadings
    }

    private static let workerHeadings = [
        "QUEUED", "WAITING", "RUNNING", "KV USED", "DONE", "TOKENS", "STEP ERROR",
        "BIAS", "TTFT ERROR", "ATGT ERROR",
    ]
}

extension ModelStatus {
    fileprivate var row: [String] {
        [
            model, "\(workers)", "\(queued)", "\(running)", "\(completed)", "\(failed)", "\(refused)", "\(cancelled)",
            "\(retried)", attainment.percent, timeToFirstToken.text, averageTokenTime.text,
            predictions.timeToFirstToken.percent, predictions.tokenTime.percent,
        ]
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
}

extension FleetWish {
    /// The model, and the phase where that is only one.
    var name: String { role == .both ? model : "\(model), \(role.rawValue)" }
}

extension PredictionErrors.Average {
    fileprivate var percent: String { count == 0 ? "-" : magnitude.percent }

    fileprivate var text: String {
        count == 0 ? "-" : "\(magnitude.percent) (bias \(bias.signedPercent), \(count) compared)"
    }
}

extension LatencySummary {
    var text: String {
        count == 0 ? "-" : "\(p50Milliseconds.short)/\(p99Milliseconds.short)"
    }
}

extension Double {
    var short: String { self >= 100 ? String(format: "%.0f", self) : String(format: "%.1f", self) }
    var percent: String { String(format: "%.1f%%", self * 100) }
    var signedPercent: String { String(format: "%+.1f%%", self * 100) }
}
