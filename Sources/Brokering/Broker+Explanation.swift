internal import DequeModule
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
        explanation.attempts = earlierAttempts(of: record) + record.attempts.map { $0.explained(from: record.arrival) }
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
        if record.hasEnded, record.attempts.isEmpty, record.startedAttempt > earlier.last?.number ?? 0 {
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
        guard let worker = workers[placement.worker] else { return }
        placements += 1
        var attempt = AttemptRecord(
            number: placement.attempt,
            worker: placement.worker,
            workerName: worker.joined.name,
            policy: isOwn ? "" : policy,
            placed: now,
            placement: placements
        )
        attempt.predictedTimeToFirstToken = placement.predictedTimeToFirstToken
        attempt.predictedTokenTime = placement.predictedTokenTime
        attempt.explanation = placement.explanation
        if queries[placement.query]?.handover != nil { attempt.phase = .decode }
        if let last = queries[placement.query]?.attempts.last, last.number == placement.attempt,
            last.phase != .prefill
        {
            attempt.placements += last.placements
            queries[placement.query]?.attempts.removeLast()
        }
        queries[placement.query]?.attempts.append(attempt)
        guard placement.explanation != nil else { return }
        explained.append((placement.query, placements))
        forgetOldExplanations()
    }

    private mutating func forgetOldExplanations() {
        while explained.count > configuration.maximumExplanations {
            let oldest = explained.removeFirst()
            guard let index = queries[oldest.query]?.attempts.firstIndex(where: { $0.placement == oldest.placement })
            else { continue }
            queries[oldest.query]?.attempts[index].explanation = nil
        }
    }

    /// The present attempt has its first token; compares that with the prediction if it is the query's first, too.
    mutating func noteFirstToken(of number: QueryNumber, from worker: WorkerID, at now: Instant) {
        guard let record = queries[number], let index = record.attempts.indices.last else { return }
        queries[number]?.attempts[index].firstToken = now
        models[record.model]?.admission?.firstToken(number, at: now)
        guard record.firstToken == nil else { return }
        compare(on: worker, of: record.model) {
            $0.timeToFirstToken.compare(
                predicted: record.attempts[index].predictedTimeToFirstToken,
                actual: now - record.arrival
            )
        }
    }

    /// A query is done; compares its token time with the prediction if one attempt made all of its tokens.
    mutating func noteTokenTime(of number: QueryNumber, on worker: WorkerID) {
        guard let record = queries[number], let attempt = record.attempts.last, let actual = record.averageTokenTime
        else {
            return
        }
        // One that moved got its first token from the worker before.
        let first = attempt.phase == .decode ? record.attempts.dropLast().last : attempt
        guard let first, first.number == attempt.number, first.firstToken == record.firstToken else { return }
        compare(on: worker, of: record.model) {
            $0.tokenTime.compare(predicted: attempt.predictedTokenTime, actual: actual)
        }
    }

    private mutating func compare(on worker: WorkerID, of model: String, _ compare: (inout PredictionErrors) -> Void) {
        compare(&predictions)
        if var errors = workers[worker]?.predictions {
            compare(&errors)
            workers[worker]?.predictions = errors
        }
        if var errors = models[model]?.predictions {
            compare(&errors)
            models[model]?.predictions = errors
        }
    }
}

extension AttemptRecord {
    func explained(from arrival: Instant) -> QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: number,
            worker: worker,
            workerName: workerName,
            policy: policy,
            placed: placed - arrival
        )
        attempt.placements = placements
        attempt.dispatched = dispatched.map { $0 - arrival }
        attempt.firstToken = firstToken.map { $0 - arrival }
        attempt.failure = failure?.status
        attempt.failed = failure.map { $0.at - arrival }
        attempt.predictedTimeToFirstToken = predictedTimeToFirstToken
        attempt.predictedTokenTime = predictedTokenTime
        attempt.explanation = explanation
        attempt.phase = phase
        attempt.handedOver = handedOver.map { $0 - arrival }
        return attempt
    }
}
