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
        case rejected(Status)
        case failed(Status)
        /// The stream ended well but tokens are missing.
        case lost(repeated: Int)
    }

    /// Sends each query at its time and waits for all to end.
    func drive(_ trace: Trace) async -> BenchReport {
        let start = ContinuousClock.now
        let period = trace.rate > 0 ? Double(trace.entries.count) / trace.rate : 0
        var report = BenchReport(objective: objective, sendingFor: period)
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
            return .rejected(status)
        } catch {
            return .failed(error as? Status ?? Status(.unknown, .none, "\(error)"))
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
