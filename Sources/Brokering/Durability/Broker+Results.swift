internal import DequeModule
internal import RecordTables
package import ServingModel

/// Queries that are no longer in memory, and names that may belong to one.
extension Broker {
    /// The journal's answer to a `lookUp`.
    package mutating func found(_ result: KeptResult?, ticket: UInt64, at now: Instant) {
        guard let index = parked.firstIndex(where: { $0.ticket == ticket }) else { return }
        let call = parked.remove(at: index)
        guard !call.isGivenUp else { return }
        if let result, numbersByID[result.accepted.id] == nil { keep(result, at: now) }
        do throws(Status) {
            switch call.purpose {
            case .submit(let submission, let id, let arrival):
                try submit(submission, id: id, from: call.stream, isLookedUp: true, arrival: arrival, at: now)
            case .attach(let attachment):
                try attach(attachment, by: call.stream, isLookedUp: true)
            case .cancel(let id, let account):
                if try cancel(id, as: account, by: call.stream, isLookedUp: true, at: now) {
                    actions.append(.answer(call.stream))
                }
            case .acknowledge(let id, let account):
                _ = try acknowledge(id, as: account, by: call.stream, isLookedUp: true, at: now)
                actions.append(.answer(call.stream))
            case .explain(let id, let account):
                actions.append(.explain(call.stream, try explanation(of: id, as: account, at: now)))
            }
        } catch {
            actions.append(.refuse(call.stream, error))
        }
    }

    /// Ends a query, whoever reads it; one that has ended already stays as it is.
    ///
    /// - Returns: whether that is done. If not, the journal is asked or has to write it down, and an `answer` or a refusal
    ///   for `stream` follows.
    /// - Throws: a `Status` with `.notFound`, also for a query that `account` may not see.
    @discardableResult
    package mutating func cancel(
        _ id: QueryID,
        as account: Account = .any,
        by stream: StreamKey,
        at now: Instant
    ) throws(Status) -> Bool {
        try cancel(id, as: account, by: stream, isLookedUp: false, at: now)
    }

    private mutating func cancel(
        _ id: QueryID,
        as account: Account,
        by stream: StreamKey,
        isLookedUp: Bool,
        at now: Instant
    ) throws(Status) -> Bool {
        guard let record = query(id) else {
            try lookUp(id, for: stream, .cancel(id, account), isLookedUp: isLookedUp)
            return false
        }
        guard account.sees(record) else { throw Self.unknownQuery }
        if !record.hasEnded { end(record.number, with: Self.cancelledByClient, at: now) }
        let end = queries[record.number]?.endRecord ?? 0
        guard end > durable else { return true }
        // Whoever hears that it has ended may rely on it.
        awaitedEnds.append((end, stream))
        return false
    }

    /// The client has its result: it need not be kept any longer.
    ///
    /// - Returns: whether that is done. If not, the journal is asked, and an `answer` or a refusal for `stream` follows.
    /// - Throws: a `Status`: `.notFound`, also for a query that `account` may not see, or `.failedPrecondition` for one
    ///   that has not ended.
    @discardableResult
    package mutating func acknowledge(
        _ id: QueryID,
        as account: Account = .any,
        by stream: StreamKey,
        at now: Instant
    ) throws(Status) -> Bool {
        try acknowledge(id, as: account, by: stream, isLookedUp: false, at: now)
    }

    private mutating func acknowledge(
        _ id: QueryID,
        as account: Account,
        by stream: StreamKey,
        isLookedUp: Bool,
        at now: Instant
    ) throws(Status) -> Bool {
        guard let number = numbersByID[id], let place = queries.place(of: number) else {
            try lookUp(id, for: stream, .acknowledge(id, account), isLookedUp: isLookedUp)
            return false
        }
        let record = queries[place: place]
        guard account.sees(record) else { throw Self.unknownQuery }
        guard record.hasEnded else {
            throw Status(.failedPrecondition, .queryRuns, "the query has not ended; cancel it to be rid of it")
        }
        if record.durability != .volatile { write(.acknowledged(record.number)) }
        if !record.isOverdue { retainedBytes -= record.output.byteCount }
        queries[place: place].isOverdue = true
        forgetIfOverdue(number, at: place)
        return true
    }

    /// Asks the journal about a query that is not in memory.
    ///
    /// - Throws: a `Status` if there is none to ask, or it was asked already.
    mutating func lookUp(
        _ id: QueryID,
        for stream: StreamKey,
        _ purpose: ParkedCall.Purpose,
        isLookedUp: Bool
    ) throws(Status) {
        guard isJournaled, !isLookedUp else { throw Self.unknownQuery }
        try lookUp(.query(id), for: stream, purpose)
    }

    /// Parks a call and asks the journal.
    ///
    /// - Throws: a `Status` if too many calls wait already.
    mutating func lookUp(_ lookup: JournalLookup, for stream: StreamKey, _ purpose: ParkedCall.Purpose) throws(Status) {
        guard parked.count < configuration.maximumLookups else {
            throw Status(
                .resourceExhausted,
                .queueFull,
                "too many calls wait for the journal",
                retryAfter: .seconds(1)
            )
        }
        parked.append(ParkedCall(ticket: nextLookup, stream: stream, purpose: purpose))
        actions.append(.lookUp(lookup, ticket: nextLookup))
        nextLookup += 1
    }

    /// - Returns: whether such a call was parked.
    mutating func giveUpParked(_ stream: StreamKey) -> Bool {
        guard let index = parked.firstIndex(where: { $0.stream == stream && !$0.isGivenUp }) else { return false }
        parked[index].isGivenUp = true
        return true
    }

    mutating func giveUpParked(of session: SessionID) {
        for index in parked.indices where parked[index].stream.session == session { parked[index].isGivenUp = true }
    }

    /// Brings an ended query back into memory, as if it had ended just now.
    private mutating func keep(_ result: KeptResult, at now: Instant) {
        let accepted = result.accepted
        let end = result.end
        let arrival = wallClock.instant(of: accepted.arrival)
        var record = QueryRecord(
            number: accepted.number,
            id: accepted.id,
            model: accepted.model,
            submission: Submission(accepted),
            objective: accepted.objective,
            arrival: arrival,
            deadline: nil,
            durability: accepted.durability
        )
        record.submission.request = []
        record.state = .ended(Status(end.code, end.reason, end.message))
        record.ended = wallClock.instant(of: end.at)
        record.attempt = end.attempt
        record.startedAttempt = end.worker.isEmpty ? 0 : end.attempt
        record.workerName = end.worker
        record.output = OutputLog(end.output)
        record.finish = end.finish
        record.inputTokens = end.inputTokens
        record.firstToken = end.firstToken.map { arrival + $0 }
        record.lastToken = end.lastToken.map { arrival + $0 }
        record.failures = result.failures
        record.rewrites = end.rewrites
        let place = queries.insert(record, for: record.number)
        numbersByID[record.id] = record.number
        if let key = accepted.idempotencyKey {
            numbersByKey[IdempotencyKey(owner: accepted.owner, key: key)] = record.number
        }
        retainedBytes += record.output.byteCount
        retained.append((now, record.number, place))
    }

    static let unknownQuery = Status(.notFound, .unknownQuery, "no such query, or its result is no longer kept")
}
