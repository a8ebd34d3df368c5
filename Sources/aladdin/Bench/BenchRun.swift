internal import AladdinClient
internal import Foundation
internal import ServingModel
internal import Simulation

/// One pass of a trace over a live service.
struct BenchRun: Sendable {
    let service: any QueryService
    let model: String
    let objective: ServiceLevelObjective

    /// What was heard of one query.
    enum Outcome: Sendable {
        case completed(timeToFirstToken: Double, averageTokenTime: Double?, tokens: Int, repeated: Int)
        case rejected
        case failed
        /// The stream ended well but tokens are missing.
        case lost(repeated: Int)
    }

    /// Sends each query at its time and waits for all to end.
    func drive(_ trace: Trace) async -> BenchReport {
        let start = ContinuousClock.now
        var report = BenchReport(objective: objective)
        await withTaskGroup(of: Outcome.self) { group in
            var nextProgress = start
            for entry in trace.entries {
                let due = start + .nanoseconds(entry.arrival.nanoseconds)
                try? await Task.sleep(until: due, clock: .continuous)
                group.addTask { await send(entry) }
                report.sent += 1
                if due >= nextProgress {
                    nextProgress = due + .seconds(1)
                    Terminal.progress("\(report.sent) of \(trace.entries.count) queries sent")
                }
            }
            for await outcome in group {
                report.add(outcome)
                let ended = report.ended
                if ended % 16 == 0 { Terminal.progress("\(ended) of \(report.sent) queries ended") }
            }
        }
        Terminal.progress("")
        report.seconds = (ContinuousClock.now - start).milliseconds / 1000
        return report
    }

    private func send(_ entry: Trace.Entry) async -> Outcome {
        // Printable ASCII as token identifiers: every vocabulary has them.
        let prompt = (0..<entry.inputTokens).map { Int32(40 + $0 % 50) }
        let request = QueryRequest(
            model: model,
            input: .tokens(prompt),
            maxTokens: entry.outputTokens,
            metadata: [
                ("x-slo-ttft-ms", "\(objective.timeToFirstToken.milliseconds)"),
                ("x-slo-tpot-ms", "\(objective.averageTokenTime.milliseconds)"),
                ("x-aladdin-output-tokens", "\(entry.outputTokens)"),
            ]
        )
        let sent = ContinuousClock.now
        var first: ContinuousClock.Instant?
        var last = sent
        var expected = 0
        var repeated = 0
        var total = -1
        do {
            for try await event in service.generate(request) {
                switch event {
                case .tokens(let index, let count, _, _):
                    last = ContinuousClock.now
                    first = first ?? last
                    repeated += max(expected - index, 0)
                    if index > expected { return .lost(repeated: repeated) }
                    expected = max(expected, index + count)
                case .reset(let index):
                    expected = index
                case .finished(_, _, let outputTokens):
                    total = outputTokens
                case .accepted, .started:
                    break
                }
            }
        } catch let status as Status where status.code == .resourceExhausted {
            return .rejected
        } catch {
            return .failed
        }
        guard let first, total == expected else { return .lost(repeated: repeated) }
        return .completed(
            timeToFirstToken: (first - sent).milliseconds,
            averageTokenTime: total > 1 ? (last - first).milliseconds / Double(total - 1) : nil,
            tokens: total,
            repeated: repeated
        )
    }
}

/// What a bench saw; the names are those of its JSON.
struct BenchReport: Sendable {
    let objective: ServiceLevelObjective
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
    var seconds = 0.0

    init(objective: ServiceLevelObjective) {
        self.objective = objective
    }

    var ended: Int { completed + failed + rejected + lost }

    mutating func add(_ outcome: BenchRun.Outcome) {
        switch outcome {
        case .rejected:
            rejected += 1
        case .failed:
            failed += 1
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

    private var attainment: Double { sent > 0 ? Double(met) / Double(sent) : 0 }
    private var goodput: Double { seconds > 0 ? Double(met) / seconds : 0 }
    private var throughput: Double { seconds > 0 ? Double(tokens) / seconds : 0 }

    private func quantile(_ share: Double, of values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return sorted[min(max(Int((share * Double(sorted.count)).rounded(.up)) - 1, 0), sorted.count - 1)]
    }

    private func quantiles(of values: [Double]) -> [String: Double] {
        ["p50": quantile(0.5, of: values), "p90": quantile(0.9, of: values), "p99": quantile(0.99, of: values)]
    }

    var object: [String: Any] {
        [
            "sent": sent, "completed": completed, "failed": failed, "rejected": rejected, "lost": lost,
            "duplicated_tokens": duplicatedTokens, "ttft_ms": quantiles(of: timesToFirstToken),
            "atgt_ms": quantiles(of: averageTokenTimes), "attainment": attainment, "goodput_qps": goodput,
            "throughput_tokens_per_s": throughput,
        ]
    }

    var text: String {
        let ttft = quantiles(of: timesToFirstToken)
        let atgt = quantiles(of: averageTokenTimes)
        return """
            sent \(sent), completed \(completed), failed \(failed), rejected \(rejected), lost \(lost), \
            duplicated tokens \(duplicatedTokens), in \(seconds.short) s
            TTFT  p50 \((ttft["p50"] ?? 0).short)  p90 \((ttft["p90"] ?? 0).short)  p99 \((ttft["p99"] ?? 0).short) ms \
            (objective \(objective.timeToFirstToken.milliseconds.short) ms)
            ATGT  p50 \((atgt["p50"] ?? 0).short)  p90 \((atgt["p90"] ?? 0).short)  p99 \((atgt["p99"] ?? 0).short) ms \
            (objective \(objective.averageTokenTime.milliseconds.short) ms)
            attainment \(attainment.percent), goodput \(goodput.short) queries/s, \
            throughput \(throughput.short) tokens/s
            """
    }
}
