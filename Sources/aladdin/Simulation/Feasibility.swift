internal import ArgumentParser
internal import ServingModel
internal import Simulation

/// Refuses objectives that a query could not keep even with a worker to itself.
struct Feasibility {
    private let file: TraceFile
    private let workers: WorkerMix
    private let objective: ServiceLevelObjective

    /// - Parameter objective: of queries for which the trace names none.
    init(_ file: TraceFile, _ workers: WorkerMix, _ objective: ServiceLevelObjective) {
        self.file = file
        self.workers = workers
        self.objective = objective
    }

    /// The trace without queries whose own objectives are out of reach, if bad lines are to be skipped.
    ///
    /// - Throws: `ValidationError` that names the option, or the line, and the time it would take.
    func checked(skipsBadLines: Bool) throws -> TraceFile {
        try checkDefault()
        var kept: [Trace.Entry] = []
        var skipped = file.skipped
        for entry in file.trace.entries {
            guard let own = entry.objective, let reason = obstacle(to: entry, own, "slo_ttft_ms", "slo_atgt_ms") else {
                kept.append(entry)
                continue
            }
            let error = TraceError(line: entry.line ?? 0, message: reason)
            guard skipsBadLines else { throw ValidationError("trace \(file.path), \(error)") }
            skipped.append(error)
        }
        guard kept.count < file.trace.entries.count else { return file }
        guard !kept.isEmpty else { throw ValidationError("trace \(file.path): no line is left after the bad ones") }
        return TraceFile(path: file.path, trace: Trace(entries: kept), skipped: skipped.sorted { $0.line < $1.line })
    }

    /// The default is refused if not even the shortest query that takes it could keep it.
    private func checkDefault() throws {
        let queries = file.trace.entries.filter { $0.objective == nil }
        guard let shortest = queries.min(by: { $0.inputTokens < $1.inputTokens }) else { return }
        var probe = shortest
        probe.outputTokens = 1
        if let reason = obstacle(to: probe, objective, "--slo-ttft-ms", "--slo-atgt-ms") {
            throw ValidationError(reason)
        }
        let several = queries.filter { $0.outputTokens > 1 }
        guard let first = several.min(by: { $0.inputTokens < $1.inputTokens }) else { return }
        probe = first
        probe.outputTokens = 2
        if let reason = obstacle(to: probe, objective, nil, "--slo-atgt-ms") { throw ValidationError(reason) }
    }

    /// What the fastest kind of worker would need, if that is too long.
    private func obstacle(
        to entry: Trace.Entry,
        _ objective: ServiceLevelObjective,
        _ firstName: String?,
        _ paceName: String
    ) -> String? {
        let latencies = workers.parts.map {
            UnloadedLatency(profile: $0.profile, inputTokens: entry.inputTokens, outputTokens: entry.outputTokens)
        }
        if let firstName, let fastest = latencies.map(\.timeToFirstToken).min(),
            fastest > objective.timeToFirstToken
        {
            return
                "\(firstName) is \(objective.timeToFirstToken.milliseconds.short), but even alone on a worker a prompt "
                + "of \(entry.inputTokens) tokens takes \(fastest.milliseconds.short) ms"
        }
        if let fastest = latencies.compactMap(\.averageTokenTime).min(), fastest > objective.averageTokenTime {
            return
                "\(paceName) is \(objective.averageTokenTime.milliseconds.short), but even alone on a worker a token "
                + "takes \(fastest.milliseconds.short) ms"
        }
        return nil
    }
}
