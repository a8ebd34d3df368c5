internal import Foundation
internal import ServingModel

/// What a bench saw; the names are those of its JSON.
struct BenchReport: Sendable {
    let objective: ServiceLevelObjective
    /// Seconds in which queries arrive; 0 if all come at once.
    let sendingSeconds: Double
    var sent = 0
    private(set) var completed = 0
    private(set) var failed = 0
    private(set) var rejected = 0
    private(set) var lost = 0
    private(set) var duplicatedTokens = 0
    private(set) var met = 0
    private(set) var tokens = 0
    private var timesToFirstToken: [Double] = []
    private var averageTokenTimes: [Double] = []
    /// How many were refused or failed for which reason, and what was said to the first of them.
    private(set) var troubles: [String: (count: Int, words: String)] = [:]
    /// Until the last answer has ended.
    var seconds = 0.0

    init(objective: ServiceLevelObjective, sendingFor sendingSeconds: Double) {
        self.objective = objective
        self.sendingSeconds = sendingSeconds
    }

    var ended: Int { completed + failed + rejected + lost }

    mutating func add(_ outcome: BenchRun.Outcome) {
        switch outcome {
        case .rejected(let status):
            rejected += 1
            note(status)
        case .failed(let status):
            failed += 1
            note(status)
        case .lost(let repeated):
            lost += 1
            duplicatedTokens += repeated
        case .completed(let first, let average, let tokens, let repeated):
            completed += 1
            duplicatedTokens += repeated
            self.tokens += tokens
            timesToFirstToken.append(first)
            if let average { averageTokenTimes.append(average) }
            let keepsPace = (average ?? 0) <= objective.averageTokenTime.milliseconds
            if first <= objective.timeToFirstToken.milliseconds, keepsPace { met += 1 }
        }
    }

    private mutating func note(_ status: Status) {
        let reason = status.reason == .none ? "\(status.code)" : status.reason.label
        troubles[reason, default: (0, status.message)].count += 1
    }

    private var attainment: Double { sent > 0 ? Double(met) / Double(sent) : 0 }
    /// By the time in which queries arrived, as in simulations: what is still answered afterwards says nothing of the rate.
    private var goodput: Double {
        let period = sendingSeconds > 0 ? sendingSeconds : seconds
        return period > 0 ? Double(met) / period : 0
    }
    private var throughput: Double { seconds > 0 ? Double(tokens) / seconds : 0 }

    /// Nil of nothing.
    private func quantile(_ share: Double, of values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[min(max(Int((share * Double(sorted.count)).rounded(.up)) - 1, 0), sorted.count - 1)]
    }

    private static let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)]

    private func object(of values: [Double]) -> [String: Any] {
        .init(uniqueKeysWithValues: Self.quantiles.map { ($0, quantile($1, of: values) ?? NSNull() as Any) })
    }

    private func text(of values: [Double]) -> String {
        Self.quantiles.map { "\($0) \(quantile($1, of: values)?.short ?? "-")" }.joined(separator: "  ")
    }

    var object: [String: Any] {
        [
            "sent": sent, "completed": completed, "failed": failed, "rejected": rejected, "lost": lost,
            "duplicated_tokens": duplicatedTokens, "ttft_ms": object(of: timesToFirstToken),
            "atgt_ms": object(of: averageTokenTimes), "attainment": attainment, "goodput_qps": goodput,
            "throughput_tokens_per_s": throughput, "reasons": troubles.mapValues(\.count),
        ]
    }

    var text: String {
        let reasons = troubles.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { reason, trouble in
            "\n\(trouble.count) × \(reason)" + (trouble.words.isEmpty ? "" : ", the first: \(trouble.words)")
        }
        return """
            sent \(sent), completed \(completed), failed \(failed), rejected \(rejected), lost \(lost), \
            duplicated tokens \(duplicatedTokens), in \(seconds.short) s\(reasons.joined())
            TTFT  \(text(of: timesToFirstToken)) ms (objective \(objective.timeToFirstToken.milliseconds.short) ms)
            ATGT  \(text(of: averageTokenTimes)) ms (objective \(objective.averageTokenTime.milliseconds.short) ms)
            attainment \(attainment.percent), goodput \(goodput.short) queries/s, \
            throughput \(throughput.short) tokens/s
            """
    }
}
