internal import DequeModule
internal import RecordTables
package import ServingModel

extension Broker {
    /// Why a query was placed where it was, and what then happened.
    ///
    /// Known for as long as the query's result is kept.
    ///
    /// - Throws: a `Status` with `.notFound`, also for a query that `account` may not see.
    package func explanation(
        of id: QueryID,
        as account: Account = .any,
        at now: Instant
    ) throws(Status) -> QueryExplanation {
        guard let record = query(id), account.sees(record) else { throw notExplained }
        var explanation = QueryExplanation(id: record.id, model: record.model, objective: record.objective)
        explanation.tenant = record.submission.tenant
        explanation.priority = record.submission.priority
        explanation.age = now - record.arrival
        explanation.inputTokens = record.inputTokens ?? record.submission.inputTokens
        explanation.maxTokens = record.submission.maxTokens
        explanation.outputTokens = record.output.count
        explanation.attempts =
            earlierAttempts(of: record)
            + record.attempts.map { $0.explained(from: record.arrival, reasons(for: $0.placement)) }
        explanation.firstToken = record.firstToken.map { $0 - record.arrival }
        explanation.ended = record.ended.map { $0 - record.arrival }
        explanation.averageTokenTime = record.averageTokenTime
        switch record.state {
        case .queued, .pausing: explanation.state = .queued
        case .placed: explanation.state = .placed
        case .leased: explanation.state = .running
        case .ended(let status):
            explanation.state = .ended(status)
            if ModelRecord.judges(status) { explanation.metObjective = record.metObjective }
        }
        explanation.workers = names(in: explanation.attempts)
        return explanation
    }

    /// The same for a query that may be in the journal alone, which has its attempts and its end, and no placements.
    ///
    /// - Returns: nil if the journal is asked: `explain` or a refusal for `stream` follows.
    /// - Throws: a `Status` with `.notFound`, also for a query that `account` may not see.
    package mutating func explain(
        _ id: QueryID,
        as account: Account = .any,
        for stream: StreamKey,
        at now: Instant
    ) throws(Status) -> QueryExplanation? {
        guard isJournaled, numbersByID[id] == nil else { return try explanation(of: id, as: account, at: now) }
        try lookUp(.query(id), for: stream, .explain(id, account))
        return nil
    }

    private var notExplained: Status {
        guard !isJournaled else { return Self.unknownQuery }
        let kept = Int(configuration.resultRetention.seconds)
        return Status(
            .notFound,
            .unknownQuery,
            "no such query, or it is no longer kept: that is \(kept) s after its end, for the latest "
                + "\(configuration.maximumRetainedResults) queries at most"
        )
    }

    /// Attempts that were made before this broker's, or before the query was forgotten: all that the journal has of them.
    private func earlierAttempts(of record: QueryRecord) -> [QueryExplanation.Attempt] {
        let first = record.attempts.first?.number ?? .max
        var earlier = failedAttempts(of: record, before: first)
        // Of the one that ended it there is no failure.
        if record.hasEnded, record.latest == nil, record.startedAttempt > earlier.last?.number ?? 0 {
            var last = QueryExplanation.Attempt(
                number: record.startedAttempt,
                worker: WorkerID(rawValue: 0),
                workerName: record.workerName,
                policy: "",
                placed: .zero
            )
            last.firstToken = record.firstToken.map { $0 - record.arrival }
            earlier.append(last)
        }
        return earlier
    }

    private func failedAttempts(of record: QueryRecord, before first: Int) -> [QueryExplanation.Attempt] {
        record.failures.lazy.filter { $0.attempt < first }.map { failure in
            let at = wallClock.instant(of: failure.at) - record.arrival
            var attempt = QueryExplanation.Attempt(
                number: failure.attempt,
                worker: WorkerID(rawValue: 0),
                workerName: failure.worker,
                policy: "",
                placed: .zero
            )
            attempt.failure = Status(failure.code, failure.reason, failure.message)
            attempt.failed = at
            return attempt
        }
    }

    private func names(in attempts: [QueryExplanation.Attempt]) -> [NamedWorker] {
        let mentioned = Set(attempts.flatMap { $0.explanation?.candidates.map(\.worker) ?? [] })
        return mentioned.sorted().compactMap { id in
            workers[id].map { NamedWorker(worker: id, name: $0.joined.name) }
        }
    }

    /// Remembers where a query's present attempt was placed; an earlier placement of it is forgotten.
    mutating func remember(_ placement: Placement, isOwn: Bool, at now: Instant) {
        guard let place = queries.place(of: placement.query), let home = workers.place(of: placement.worker) else {
            return
        }
        placements += 1
        var attempt = AttemptRecord(
            placement,
            number: placements,
            on: workers[place: home].joined.name,
            by: isOwn ? "" : policy,
            at: now
        )
        if queries[place: place].handover != nil { attempt.phase = .decode }
        queries[place: place].place(attempt)
        guard let explanation = placement.explanation else { return }
        explained.append((placements, explanation))
        while explained.count > configuration.maximumExplanations { explained.removeFirst() }
    }

    /// Why a placement was made; nil if nobody said why, or if it is too long ago.
    private func reasons(for placement: UInt64) -> PlacementExplanation? {
        var low = 0
        var high = explained.count
        while low < high {
            let middle = (low + high) / 2
            if explained[middle].placement < placement { low = middle + 1 } else { high = middle }
        }
        guard low < explained.count, explained[low].placement == placement else { return nil }
        return explained[low].explanation
    }

    /// The present attempt has its first token; compares that with the prediction if it is the query's first, too.
    ///
    /// - Parameter place: of its record.
    mutating func noteFirstToken(at place: Int, from worker: WorkerID, at now: Instant) {
        guard queries[place: place].latest != nil else { return }
        queries[place: place].latest?.firstToken = now
        let home = queries[place: place].home
        let number = queries[place: place].number
        models[place: home].admission?.firstToken(number, at: now)
        guard queries[place: place].firstToken == nil else { return }
        let predicted = queries[place: place].latest?.predictedTimeToFirstToken
        let actual = now - queries[place: place].arrival
        compare(on: worker, home: home) { $0.timeToFirstToken.compare(predicted: predicted, actual: actual) }
    }

    /// A query is done; compares its token time with the prediction if one attempt made all of its tokens.
    mutating func noteTokenTime(of number: QueryNumber, on worker: WorkerID) {
        guard let place = queries.place(of: number), let actual = queries[place: place].averageTokenTime,
            let attempt = queries[place: place].latest
        else { return }
        // One that moved got its first token from the worker before.
        let first = attempt.phase == .decode ? queries[place: place].earlier.last : attempt
        guard let first, first.number == attempt.number, first.firstToken == queries[place: place].firstToken else {
            return
        }
        compare(on: worker, home: queries[place: place].home) {
            $0.tokenTime.compare(predicted: attempt.predictedTokenTime, actual: actual)
        }
    }

    /// - Parameter home: the place of the model's record.
    private mutating func compare(on worker: WorkerID, home: Int, _ compare: (inout PredictionErrors) -> Void) {
        compare(&predictions)
        if let place = workers.place(of: worker) { compare(&workers[place: place].predictions) }
        compare(&models[place: home].predictions)
    }
}
