internal import Foundation
internal import ServingModel

extension QueryExplanation {
    /// A timeline, predictions beside what happened, and what each decision compared.
    var text: String {
        var parts = [heading, Terminal.table(timeline)]
        if firstToken != nil || predictedTimeToFirstToken != nil || predictedTokenTime != nil {
            parts.append(Terminal.table(comparison))
        }
        parts += attempts.compactMap(candidates(of:))
        return parts.joined(separator: "\n\n")
    }

    /// That of the attempt whose first token counts, or of the latest.
    var predictedTimeToFirstToken: Interval? { decisive?.predictedTimeToFirstToken }
    /// Of what moved on, that of the worker that it moved to.
    var predictedTokenTime: Interval? {
        guard let decisive, decisive.phase == .prefill else { return decisive?.predictedTokenTime }
        return attempts.last { $0.number == decisive.number }?.predictedTokenTime
    }

    private var decisive: Attempt? {
        attempts.first { $0.firstToken != nil && $0.firstToken == firstToken } ?? attempts.last
    }

    private var heading: String {
        let prompt = inputTokens.map { "\($0) prompt tokens" } ?? "prompt not counted yet"
        var line = "query \(id), model \(model), \(prompt), \(outputTokens) of at most \(maxTokens) output tokens"
        if priority != 0 { line += ", priority \(priority)" }
        if !tenant.isEmpty { line += ", tenant \(tenant)" }
        return line
    }

    // MARK: Timeline

    private var timeline: [[String]] {
        var rows = [Self.row(.zero, "arrived")]
        for attempt in attempts { rows += events(of: attempt) }
        switch state {
        case .queued: rows.append(Self.row(age, "now: waits to be placed"))
        case .placed:
            rows.append(Self.row(age, "now: waits for \(attempts.last?.workerName ?? "its worker") to pull it"))
        case .running: rows.append(Self.row(age, "now: runs, \(outputTokens) tokens so far"))
        case .ended(let status): rows.append(Self.row(ended ?? age, ending(with: status)))
        }
        return rows
    }

    private func events(of attempt: Attempt) -> [[String]] {
        var rows = [Self.row(attempt.placed, placement(attempt))]
        if let dispatched = attempt.dispatched {
            rows.append(Self.row(dispatched, "pulled by \(attempt.workerName)"))
        }
        if let first = attempt.firstToken {
            rows.append(Self.row(first, words(first, of: attempt)))
        }
        if let handedOver = attempt.handedOver {
            rows.append(Self.row(handedOver, "KV cache left by \(attempt.workerName) for another worker"))
        }
        if let failure = attempt.failure, let failed = attempt.failed {
            rows.append(Self.row(failed, "attempt \(attempt.number) failed: \(Self.words(failure))"))
        }
        return rows
    }

    private func words(_ first: Interval, of attempt: Attempt) -> String {
        if first == firstToken { return "first token" }
        return attempt.phase == .decode ? "KV cache taken over, next token" : "first token of this attempt"
    }

    private func placement(_ attempt: Attempt) -> String {
        var line = attempt.number > 1 ? "attempt \(attempt.number): " : ""
        if let held = attempt.explanation?.held, held >= .milliseconds(1) {
            line += "held \(String(format: "%.2f", held.seconds)) s, "
        }
        line += "sent "
        let others = (attempt.explanation?.batch ?? 1) - 1
        if others > 0 { line += "with \(others) \(others == 1 ? "other" : "others") " }
        if attempt.phase != .whole { line += "for its \(attempt.phase.rawValue) " }
        line += "to \(attempt.workerName) by \(attempt.policy.isEmpty ? "the broker" : attempt.policy)"
        if attempt.placements > 1 { line += ", for the \(Self.ordinal(attempt.placements)) time" }
        guard let reason = attempt.explanation?.reason, !reason.isEmpty else {
            return line + " (no reason is known)"
        }
        return line + ": \(reason)"
    }

    private func ending(with status: Status) -> String {
        let end = status.isOK ? "finished" : "ended: \(Self.words(status))"
        return switch metObjective {
        case true?: end + "; objectives met"
        case false?: end + "; objectives missed"
        case nil: end
        }
    }

    private static func row(_ time: Interval, _ what: String) -> [String] {
        ["\(time.milliseconds.short) ms", what]
    }

    private static func words(_ status: Status) -> String {
        status.message.isEmpty ? "\(status.code)" : "\(status.code), \(status.message)"
    }

    private static func ordinal(_ number: Int) -> String {
        switch (number % 10, number % 100) {
        case (1, let rest) where rest != 11: "\(number)st"
        case (2, let rest) where rest != 12: "\(number)nd"
        case (3, let rest) where rest != 13: "\(number)rd"
        default: "\(number)th"
        }
    }

    // MARK: Predictions

    private var comparison: [[String]] {
        [
            ["", "PREDICTED", "OBSERVED", "OFF BY", "OBJECTIVE"],
            Self.compared("TTFT", predictedTimeToFirstToken, firstToken, objective.timeToFirstToken),
            Self.compared("ATGT", predictedTokenTime, averageTokenTime, objective.averageTokenTime),
        ]
    }

    private static func compared(
        _ name: String,
        _ predicted: Interval?,
        _ observed: Interval?,
        _ objective: Interval
    ) -> [String] {
        func text(_ time: Interval?) -> String { time.map { "\($0.milliseconds.short) ms" } ?? "-" }
        var error = "-"
        if let predicted, let observed, observed > .zero {
            error = ((predicted.seconds - observed.seconds) / observed.seconds).signedPercent
        }
        let verdict = observed.map { $0 <= objective ? ", met" : ", missed" } ?? ""
        return [name, text(predicted), text(observed), error, text(objective) + verdict]
    }

    // MARK: Candidates

    private func candidates(of attempt: Attempt) -> String? {
        guard let candidates = attempt.explanation?.candidates, !candidates.isEmpty else { return nil }
        var names: [String] = []
        for term in candidates.flatMap(\.terms) where !names.contains(term.name) { names.append(term.name) }
        let hasSeveral = Set(attempts.map(\.number)).count > 1
        var heading = hasSeveral ? "CANDIDATE, ATTEMPT \(attempt.number)" : "CANDIDATE"
        if attempt.phase != .whole { heading += ", \(attempt.phase.rawValue.uppercased())" }
        let hasFailures = candidates.contains { !$0.failed.isEmpty }
        var rows = [[heading] + names + (hasFailures ? ["FAILED"] : [])]
        for candidate in candidates {
            let mark = candidate.worker == attempt.worker ? "> " : "  "
            let values = names.map { name in
                candidate.terms.first { $0.name == name }.map { Self.number($0.value) } ?? "-"
            }
            let worker = name(of: candidate.worker) ?? "number \(candidate.worker.rawValue), gone"
            rows.append([mark + worker] + values + (hasFailures ? [candidate.failed] : []))
        }
        return Terminal.table(rows)
    }

    private static func number(_ value: Double) -> String {
        // What is infinite travels as the largest number.
        guard value.magnitude < .greatestFiniteMagnitude else { return value > 0 ? "infinite" : "-infinite" }
        return String(format: "%.4g", value)
    }
}
