internal import ServingModel

extension SimulationStudy {
    /// The conversations of the trace as closed loops: a query is sent when the answer before it has been read.
    ///
    /// A rate says how fast conversations begin. What passes inside one is the service's doing and the user's: the time
    /// from an answer to the next query stays as it was traced.
    func conversations(
        among kept: [Trace.Entry],
        seed: UInt64,
        replicate: Int
    ) throws(ArrivalPlanError) -> [SimulatedQuery] {
        let entries = try plan.entries(from: trace, seed: seed, replicate: replicate)
        let factor = try plan.offeredLoad(Trace(entries: kept)).factor
        var scripts = Trace(entries: entries).scaled(rateBy: 1 / factor).sessions { unloadedTime(of: $0) }
        for index in scripts.indices {
            scripts[index].start = .seconds(rounding: scripts[index].start.seconds / factor)
        }
        return SimulatedQuery.closedLoop(scripts) { $0.objective ?? objective }
    }

    /// What the traced service is taken to have needed for an answer.
    private func unloadedTime(of entry: Trace.Entry) -> Interval {
        let alone = UnloadedLatency(
            profile: workers.parts[0].profile,
            inputTokens: entry.inputTokens,
            outputTokens: entry.outputTokens
        )
        let others = (alone.averageTokenTime?.seconds ?? 0) * Double(entry.outputTokens - 1)
        return alone.timeToFirstToken + .seconds(rounding: others)
    }
}

extension StudyWorkload {
    /// Whether some query waits for another's answer.
    package var hasConversations: Bool { queries.contains { $0.predecessor != nil } }

    /// The same with the times at which the queries of conversations really came.
    package func arrived(_ records: [QueryRecord]) -> StudyWorkload {
        guard hasConversations else { return self }
        var queries = queries
        var last = 0.0
        for index in queries.indices {
            guard let arrival = records[index].arrival else { continue }
            queries[index].arrival = arrival
            last = max(last, arrival.seconds)
        }
        return StudyWorkload(seed: seed, queries: queries, lengths: lengths, seconds: last, warmUpSeconds: 0)
    }
}
