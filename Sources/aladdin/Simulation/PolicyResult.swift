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
    /// nil without a price.
    let cost: Cost?

    /// What a fleet costs, in the currency of its price.
    struct Cost: Sendable {
        /// Of a GPU, the mean of the fleet.
        let gpuPricePerHour: Double
        /// Of the load, from its beginning to its end.
        let total: Double
        let perHour: Double
        /// Tokens of answers.
        let perMillionTokens: Double
        /// Queries that kept their objectives.
        let perThousandQueries: Double

        init(_ summary: SimulationSummary, seconds: Double, gpuPricePerHour price: Double) {
            gpuPricePerHour = price
            total = summary.gpuSeconds / 3600 * price
            perHour = seconds > 0 ? total / seconds * 3600 : 0
            perMillionTokens = summary.answeredTokens > 0 ? total / summary.answeredTokens * 1e6 : .nan
            perThousandQueries = summary.goodput > 0 ? perHour / (summary.goodput * 3600) * 1000 : .nan
        }
    }

    /// - Parameter price: of a GPU an hour; nil if it is not known.
    init(policy: String, workers: Int?, gpus: Int, runs: [SimulationRun], price: Double? = nil) {
        self.policy = policy
        self.workers = workers
        self.gpus = gpus
        self.runs = runs
        let summary = runs.isEmpty ? nil : SimulationSummary(runs)
        self.summary = summary
        let seconds = runs.reduce(0) { $0 + $1.workload.seconds } / Double(max(runs.count, 1))
        cost = summary.flatMap { summary in
            price.map { Cost(summary, seconds: seconds, gpuPricePerHour: $0) }
        }
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
            "unfinished": summary.unfinished, "refused": summary.refused, "retried": summary.retried,
            "decision_us": Self.microseconds(summary.decision),
            "attainment_by_output_tokens": Self.groups(summary.lengthClasses),
        ]
        if let peak = runs.flatMap(\.load).map(\.workers).max(), peak != workers { object["workers_peak"] = peak }
        if let cost {
            object["cost"] = [
                "gpu_price_per_hour": cost.gpuPricePerHour, "total": cost.total, "per_hour": cost.perHour,
                "per_million_tokens": Self.number(cost.perMillionTokens),
                "per_1000_queries": Self.number(cost.perThousandQueries),
            ]
        }
        if summary.cachedPromptShare > 0 { object["cached_prompt_share"] = summary.cachedPromptShare }
        if let lateness = summary.lateness { object["late_tokens"] = lateness.share }
        if !summary.tenants.isEmpty { object["attainment_by_tenant"] = Self.groups(summary.tenants) }
        if !summary.priorities.isEmpty { object["attainment_by_priority"] = Self.groups(summary.priorities) }
        return object
    }

    private static func number(_ value: Double) -> Any { value.isFinite ? value : NSNull() }

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
    var row: [String] { figures + (cost.map { [$0.perHour.short, $0.perMillionTokens.short] } ?? []) }

    private var figures: [String] {
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

    /// - Parameter hasCosts: whether the rows end with what it costs.
    static func heading(hasCosts: Bool) -> [String] {
        [
            "policy", "workers", "GPUs", "attainment", "TTFT p50/90/99 ms", "ATGT p50/90/99 ms", "late tokens",
            "goodput/s", "preemptions", "decision p50/99 µs",
        ] + (hasCosts ? ["cost/hour", "cost/million tokens"] : [])
    }
}
