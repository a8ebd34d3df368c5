internal import Foundation
internal import ServingModel
internal import Simulation

/// What a simulation showed of one policy.
struct PolicyResult: Sendable {
    let policy: String
    /// nil if no number of workers up to the largest allowed suffices.
    let workers: Int?
    let gpus: Int
    /// One for each seed; empty without workers.
    let runs: [SimulationRun]
    let summary: SimulationSummary?

    init(policy: String, workers: Int?, gpus: Int, runs: [SimulationRun]) {
        self.policy = policy
        self.workers = workers
        self.gpus = gpus
        self.runs = runs
        summary = runs.isEmpty ? nil : SimulationSummary(runs)
    }

    /// The names are those of the documented JSON.
    var object: [String: Any] {
        guard let summary, let workers else {
            return ["policy": policy, "workers": NSNull(), "attainment": NSNull()]
        }
        var object: [String: Any] = [
            "policy": policy, "workers": workers, "gpus": gpus, "attainment": summary.attainment,
            "attainment_by_seed": summary.attainments,
            "ttft_ms": Self.milliseconds(summary.timeToFirstToken),
            "atgt_ms": Self.milliseconds(summary.averageTokenTime),
            "goodput_qps": summary.goodput, "worker_seconds": summary.workerSeconds,
            "gpu_hours": summary.gpuSeconds / 3600, "preemptions": summary.preemptions, "queries": summary.queries,
            "unfinished": summary.unfinished, "refused": summary.refused,
            "decision_us": Self.microseconds(summary.decision),
            "attainment_by_output_tokens": Self.groups(summary.lengthClasses),
        ]
        if let peak = runs.flatMap(\.load).map(\.workers).max(), peak != workers { object["workers_peak"] = peak }
        if let lateness = summary.lateness { object["late_tokens"] = lateness.share }
        if !summary.tenants.isEmpty { object["attainment_by_tenant"] = Self.groups(summary.tenants) }
        if !summary.priorities.isEmpty { object["attainment_by_priority"] = Self.groups(summary.priorities) }
        return object
    }

    private static func groups(_ groups: [AttainmentGroup]) -> [[String: Any]] {
        groups.map { ["name": $0.name, "queries": $0.queries, "attainment": $0.attainment] }
    }

    private static func milliseconds(_ times: Quantiles?) -> Any {
        guard let times else { return NSNull() }
        return ["p50": times.p50.milliseconds, "p90": times.p90.milliseconds, "p99": times.p99.milliseconds]
    }

    private static func microseconds(_ times: Quantiles?) -> Any {
        guard let times else { return NSNull() }
        return ["p50": Double(times.p50.nanoseconds) / 1000, "p99": Double(times.p99.nanoseconds) / 1000]
    }

    /// A row for people; the same columns as `heading`.
    var row: [String] {
        guard let summary, let workers else { return [policy, "never"] }
        func times(_ times: Quantiles?) -> String {
            guard let times else { return "–" }
            return [times.p50, times.p90, times.p99].map { String(Int($0.milliseconds.rounded())) }
                .joined(separator: " / ")
        }
        return [
            policy, "\(workers)", "\(gpus)", summary.attainment.exactPercent, times(summary.timeToFirstToken),
            times(summary.averageTokenTime), summary.lateness.map { $0.share.exactPercent } ?? "–",
            summary.goodput.short,
            "\(summary.preemptions)",
            summary.decision.map {
                "\((Double($0.p50.nanoseconds) / 1000).short) / \((Double($0.p99.nanoseconds) / 1000).short)"
            }
                ?? "–",
        ]
    }

    static let heading = [
        "policy", "workers", "GPUs", "attainment", "TTFT p50/90/99 ms", "ATGT p50/90/99 ms", "late tokens", "goodput/s",
        "preemptions", "decision p50/99 µs",
    ]
}
