internal import ArgumentParser
internal import Foundation
internal import Journal
internal import ServiceSettings
internal import ServingModel
internal import Simulation

/// What a journal has of the past, as a trace for the simulator, and how it went in reality.
struct RecordedPast: Sendable {
    let file: TraceFile
    /// Not ended yet.
    let unfinished: Int
    /// Without a token or a counted prompt: how long they would have been is not known.
    let withoutLength: Int
    /// Names of those that ended queries.
    let workerNames: Set<String>
    let model: String
    var workers: Int { workerNames.count }
    let attainment: Double
    let timeToFirstToken: Quantiles?
    let averageTokenTime: Quantiles?

    /// - Parameters:
    ///   - model: whose queries are wanted; nil if there is one only.
    ///   - timeToFirstToken: instead of the recorded objectives; nil keeps them.
    ///   - averageTokenTime: likewise.
    /// - Throws: `ValidationError` if the journal can't be read or has nothing to replay.
    init(journal: String, model: String?, timeToFirstToken: Interval?, averageTokenTime: Interval?) throws {
        let all: [RecordedQuery]
        do {
            all = try JournalHistory.queries(in: journal)
        } catch {
            throw ValidationError("--journal: \(error)")
        }
        let journal = SettingForm.journal.shown(journal)
        let queries = try Self.queries(of: model, in: all, journal)
        let past = queries.compactMap { query in query.end.map { (query: query, end: $0) } }
        let known = past.filter { ($0.query.inputTokens ?? 0) > 0 && $0.end.outputTokens > 0 }
        guard let first = known.first else {
            throw ValidationError(
                "--journal: of \(queries.count) queries in \(journal), none has ended with a token yet"
            )
        }
        let entries = known.map { query, end in
            Trace.Entry(
                arrival: .milliseconds(query.arrival.milliseconds - first.query.arrival.milliseconds),
                inputTokens: query.inputTokens ?? 1,
                outputTokens: end.outputTokens,
                tenant: query.tenant,
                priority: query.priority,
                objective: ServiceLevelObjective(
                    timeToFirstToken: timeToFirstToken ?? query.objective.timeToFirstToken,
                    averageTokenTime: averageTokenTime ?? query.objective.averageTokenTime
                )
            )
        }
        file = TraceFile(path: journal, trace: Trace(entries: entries), skipped: [])
        unfinished = queries.count - past.count
        withoutLength = past.count - known.count
        self.model = first.query.model
        workerNames = Set(known.map(\.end.worker).filter { !$0.isEmpty })
        attainment = Double(known.count { $0.end.metObjective }) / Double(known.count)
        self.timeToFirstToken = Quantiles(known.compactMap(\.end.firstToken))
        self.averageTokenTime = Quantiles(
            known.compactMap { _, end in
                guard let first = end.firstToken, let last = end.lastToken, end.outputTokens > 1 else { return nil }
                return Interval(nanoseconds: (last - first).nanoseconds / Int64(end.outputTokens - 1))
            }
        )
    }

    /// Those that ended queries, as far as the broker has noted how fast they were.
    ///
    /// - Throws: `ValidationError` if it has not.
    func recordedWorkers(in journal: String) throws -> WorkerMixArgument {
        let book: [String: LatencyProfile]
        do {
            book = try WorkerBook.workers(in: journal)
        } catch {
            throw ValidationError("--profile is missing, and what is noted of workers in \(journal) cannot be read")
        }
        let profiles = workerNames.sorted().compactMap { book[$0] }.filter { $0.model == model }
        guard !profiles.isEmpty else {
            throw ValidationError(
                "--profile is missing, and it is not known how fast the workers of this journal were; "
                    + "see 'aladdin calibrate --worker'"
            )
        }
        return WorkerMixArgument(recorded: profiles)
    }

    /// As it is found in the JSON, beside what the simulator says.
    var object: [String: Any] {
        [
            "queries": file.trace.entries.count, "unfinished": unfinished, "without_length": withoutLength,
            "workers": workers, "attainment": attainment, "ttft_ms": Self.milliseconds(timeToFirstToken),
            "atgt_ms": Self.milliseconds(averageTokenTime),
        ]
    }

    var text: String {
        """
        recorded: \(file.trace.entries.count) queries on \(workers) workers, attainment \(attainment.exactPercent), \
        TTFT p50/90/99 \(Self.words(timeToFirstToken)) ms, ATGT \(Self.words(averageTokenTime)) ms
        """
    }

    /// What of the journal is not replayed; nil if all of it is.
    var note: String? {
        guard unfinished + withoutLength > 0 else { return nil }
        return "left out \(unfinished) queries that have not ended and \(withoutLength) whose lengths are not known"
    }

    private static func queries(
        of model: String?,
        in all: [RecordedQuery],
        _ journal: String
    ) throws -> [RecordedQuery] {
        let models = Set(all.map(\.model)).sorted()
        guard !models.isEmpty else { throw ValidationError("--journal: the journal in \(journal) has no queries") }
        let names = models.map { "'\($0)'" }.joined(separator: ", ")
        guard let model = model ?? (models.count == 1 ? models[0] : nil) else {
            throw ValidationError("--model is missing: \(journal) has queries of \(names); which shall be replayed?")
        }
        guard models.contains(model) else {
            throw ValidationError("--model is '\(model)'; \(journal) has queries of \(names)")
        }
        return all.filter { $0.model == model }
    }

    private static func words(_ times: Quantiles?) -> String {
        guard let times else { return "–" }
        return [times.p50, times.p90, times.p99].map { String(Int($0.milliseconds.rounded())) }.joined(separator: " / ")
    }

    private static func milliseconds(_ times: Quantiles?) -> Any {
        guard let times else { return NSNull() }
        return ["p50": times.p50.milliseconds, "p90": times.p90.milliseconds, "p99": times.p99.milliseconds]
    }
}
