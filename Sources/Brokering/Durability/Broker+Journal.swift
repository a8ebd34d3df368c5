internal import DequeModule
internal import RecordTables
package import ServingModel

extension Broker {
    /// The first `count` records written are durable: what waited for them goes on.
    package mutating func journaled(through count: UInt64, at now: Instant) {
        guard count > durable else { return }
        precondition(count <= written, "nothing is durable that was not written")
        durable = count
        for ended in awaitedEnds where ended.record <= count { actions.append(.answer(ended.stream)) }
        awaitedEnds.removeAll { $0.record <= count }
        while let waiting = awaitingJournal.first, waiting.record <= durable {
            awaitingJournal.removeFirst()
            guard let place = queries.place(of: waiting.query) else { continue }
            noteAcceptance(of: waiting.query, at: now)
            if case .pausing = queries[place: place].state { resumeIfReady(waiting.query, at: now) }
            // One that goes on may come to its end at once.
            if queries.isTaken(place), queries[place: place].number == waiting.query { announceReaders(at: place) }
        }
    }

    /// The journal's database does not answer, or does again.
    ///
    /// Until then queries that it would have to keep are refused: they could only wait, for nobody knows how long. Those
    /// that were taken before wait.
    package mutating func journalStalled(_ isStalled: Bool) {
        journalIsStalled = isStalled
    }

    func checkJournal(for submission: Submission) throws(Status) {
        guard journalIsStalled, submission.durability != .volatile else { return }
        throw Status(
            .unavailable,
            .journalFailed,
            "the journal's database does not answer, so the query could not be kept; only volatile ones are taken",
            retryAfter: .seconds(1)
        )
    }

    /// - Returns: the record's number, for what has to wait until it is durable.
    @discardableResult
    mutating func write(_ record: JournalRecord) -> UInt64 {
        precondition(isJournaled, "only a broker with a journal writes")
        written += 1
        actions.append(.write(record))
        return written
    }

    /// Writes a record that something about its query waits for.
    mutating func writeAwaited(_ record: JournalRecord) -> UInt64 {
        let number = write(record)
        awaitingJournal.append((number, record.query))
        return number
    }

    /// - Parameter place: of the query's record.
    mutating func writeAcceptance(at place: Int, at now: Instant) {
        guard isJournaled, queries[place: place].durability != .volatile else { return }
        let clock = wallClock
        let accepted = queries.withRecord(at: place) { AcceptedQuery($0, clock: clock) }
        if let key = accepted.key { knownNames.insert(key.fingerprint, at: now) }
        queries[place: place].acceptRecord = writeAwaited(.accepted(accepted))
    }

    /// - Parameter place: of the query's record.
    mutating func writeEnd(at place: Int, at now: Instant) {
        guard isJournaled, queries[place: place].durability != .volatile else { return }
        let clock = wallClock
        let (key, end) = queries.withRecord(at: place) { ($0.submission.key, QueryEnd($0, at: now, clock: clock)) }
        // The journal keeps it from now on for its time; until now it was in memory.
        if let key { knownNames.insert(key.fingerprint, at: now) }
        queries[place: place].endRecord = writeAwaited(.ended(queries[place: place].number, end))
    }

    /// Writes a `stream` query's new tokens down if they are many or old enough.
    mutating func checkpointIfDue(_ number: QueryNumber, at now: Instant) {
        guard let record = queries[number], record.durability == .stream else { return }
        let new = record.output.count - record.checkpointed.tokens
        guard
            new >= configuration.checkpointTokens
                || new > 0 && now - record.checkpointed.at >= configuration.checkpointInterval,
            let part = record.output.part(from: record.checkpointed.tokens)
        else { return }
        queries[number]?.noteCheckpoint(at: now)
        write(.checkpoint(number, part))
    }
}

extension AcceptedQuery {
    init(_ record: QueryRecord, clock: WallClock) {
        let submission = record.submission
        self.init(
            number: record.number,
            id: record.id,
            durability: record.durability,
            owner: submission.owner,
            idempotencyKey: submission.idempotencyKey,
            requestHash: submission.requestHash,
            model: record.model,
            inputTokens: submission.inputTokens,
            promptBytes: submission.promptBytes,
            maxTokens: submission.maxTokens,
            outputTokensHint: submission.outputTokensHint,
            objective: record.objective,
            priority: submission.priority,
            tenant: submission.tenant,
            arrival: clock.unixTime(of: record.arrival),
            deadline: record.deadline.map { clock.unixTime(of: $0) },
            request: submission.request
        )
    }
}

extension QueryEnd {
    init(_ record: QueryRecord, at now: Instant, clock: WallClock) {
        guard case .ended(let status) = record.state else { preconditionFailure("only an ended query has an end") }
        self.init(
            at: clock.unixTime(of: now),
            code: status.code,
            reason: status.reason,
            message: status.message,
            finish: record.finish,
            inputTokens: record.inputTokens,
            output: record.output.part(from: 0) ?? .none,
            attempt: record.attempt,
            worker: record.workerName,
            firstToken: record.firstToken.map { $0 - record.arrival },
            lastToken: record.lastToken.map { $0 - record.arrival },
            metObjective: record.metObjective,
            rewrites: record.rewrites
        )
    }
}
