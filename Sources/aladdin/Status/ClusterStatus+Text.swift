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
}

extension ModelStatus {
    fileprivate var row: [String] {
        [
            model, "\(workers)", "\(queued)", "\(running)", "\(completed)", "\(failed)", "\(cancelled)", "\(retried)",
            attainment.percent, timeToFirstToken.text, averageTokenTime.text,
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
