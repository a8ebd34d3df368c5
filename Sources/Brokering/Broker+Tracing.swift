internal import RecordTables
internal import ServingModel

/// Which queries are traced, and what is told of them.
extension Broker {
    /// A query's context: its client's, or, for a share of those that have none, one of its own.
    func traceContext(of submission: Submission, _ id: QueryID) -> TraceContext? {
        if let context = submission.trace { return context }
        guard let share = configuration.tracedShare, TraceID(of: id).isAmong(share: share) else { return nil }
        var context = TraceContext(trace: TraceID(of: id), parent: nil, isSampled: true)
        context.isRandom = true
        return context
    }

    func isTraced(_ record: QueryRecord) -> Bool {
        configuration.tracedShare != nil && record.submission.trace?.isSampled == true
    }

    /// What a worker is to pass on: its work is a part of the query's span if there is one, else of its client's.
    func traceContext(of record: QueryRecord) -> TraceContext? {
        guard let context = record.submission.trace else { return nil }
        return isTraced(record) ? context.within(SpanID(of: record.id, part: 0)) : context
    }

    /// The client can be told of the acceptance.
    mutating func noteAcceptance(of number: QueryNumber, at now: Instant) {
        guard configuration.tracedShare != nil, let record = queries[number], record.accepted == nil,
            record.acceptRecord <= durable, isTraced(record)
        else { return }
        queries[number]?.accepted = now
        // A short answer may be there before the journal has its query.
        if record.hasEnded { traceEnd(of: number, at: now) }
    }

    /// Tells the story of a query that has ended, if it is traced and all of it is known.
    mutating func traceEnd(of number: QueryNumber, at now: Instant) {
        guard configuration.tracedShare != nil, let record = queries[number], isTraced(record), record.accepted != nil,
            let context = record.submission.trace,
            let explanation = try? explanation(of: record.id, at: now)
        else { return }
        var trace = QueryTrace(
            context: context,
            operation: record.submission.operation.rawValue,
            arrival: record.arrival,
            explanation: explanation
        )
        trace.accepted = record.accepted.map { $0 - record.arrival }
        trace.finish = record.finish.map { "\($0)" }
        actions.append(.trace(trace))
    }
}
