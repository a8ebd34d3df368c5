internal import HeapModule
internal import RecordTables
internal import ServingModel

extension Broker {
    /// Takes over what an earlier broker accepted and did not end.
    ///
    /// Every query begins a new attempt, whose number is durable before it is dispatched: what the earlier attempt
    /// produced beyond the last checkpoint may have reached a client, and the number tells that client to forget it.
    mutating func recover(_ recovery: Recovery, at now: Instant) {
        for model in recovery.models { know(model, at: now) }
        for recovered in recovery.queries {
            add(recovered, at: now)
            guard queries[recovered.accepted.number]?.hasEnded == false else { continue }
            resume(recovered, at: now)
        }
    }

    private mutating func add(_ recovered: RecoveredQuery, at now: Instant) {
        let accepted = recovered.accepted
        var record = QueryRecord(
            number: accepted.number,
            id: accepted.id,
            model: accepted.model,
            submission: Submission(accepted),
            objective: accepted.objective,
            arrival: wallClock.instant(of: accepted.arrival),
            deadline: accepted.deadline.map { wallClock.instant(of: $0) },
            durability: accepted.durability
        )
        record.attempt = recovered.attempt
        record.restarts = recovered.restarts
        record.failures = recovered.failures
        if let output = recovered.output { record.output = OutputLog(output) }
        if record.durability == .stream || record.output.count > 0 { record.noteCheckpoint(at: now) }
        record.home = know(record.model, at: now)
        insert(record, at: now)
    }

    private mutating func resume(_ recovered: RecoveredQuery, at now: Instant) {
        let number = recovered.accepted.number
        guard let record = queries[number] else { return }
        // Which attempts made the checkpoints is not written down: only a reader that has heard of the latest one knows
        // that its tokens are among them. What that one made beyond them is lost, whether it is made anew or not.
        queries[number]?.rewrite(from: 0, by: record.attempt)
        queries[number]?.rewrite(from: record.output.count, by: record.attempt + 1)
        if let deadline = record.deadline, deadline <= now {
            end(number, with: Status(.deadlineExceeded, .deadlineExpired, "the query's deadline has passed"), at: now)
            return
        }
        guard record.output.count < record.submission.maxTokens else {
            queries[number]?.finish = .length
            end(number, with: .ok, at: now)
            return
        }
        if let verdict = verdict(on: record.failures) {
            end(number, with: verdict, at: now)
            return
        }
        // A query that no worker had taken can't be what ends brokers.
        let restarts = record.restarts + (recovered.wasLeased ? 1 : 0)
        guard restarts <= configuration.maximumRestarts else {
            let message = "gave up: \(restarts) brokers ended while it ran"
            end(number, with: Status(.internalError, .attemptsExhausted, message), at: now)
            return
        }
        let attempt = record.attempt + 1
        queries[number]?.attempt = attempt
        queries[number]?.restarts = restarts
        pause(number, until: now, after: .resumed(number, attempt: attempt, restarts: restarts), at: now)
    }

    /// Puts a query on the books that is accepted.
    ///
    /// Its state is the caller's business. Its model is known.
    ///
    /// - Returns: where its record lies.
    @discardableResult
    mutating func insert(_ record: consuming QueryRecord, at now: Instant) -> Int {
        let number = record.number
        let home = record.home
        numbersByID[record.id] = number
        if let key = record.submission.key { numbersByKey[key] = number }
        liveQueries += 1
        liveBytes += record.submission.request.count
        spooledBytes += record.output.storedBytes
        models[place: home].queued += 1
        let deadline = record.deadline
        let place = queries.insert(record, for: number)
        if let deadline { wake(number, at: deadline) }
        if models[place: home].workers == 0 { startPatience(of: number, at: now) }
        noteAccepted(at: place, at: now)
        return place
    }

    /// A model that was served: queries for it wait until its workers are back, for as long as patience lasts.
    ///
    /// - Returns: the place of its record.
    @discardableResult
    private mutating func know(_ model: String, at now: Instant) -> Int {
        if let home = models.place(of: model) { return home }
        var record = ModelRecord(admission: configuration.admission)
        record.abandoned = now
        modelOrder.append(model)
        modelOrder.sort()
        return models.insert(record, for: model)
    }
}

extension Submission {
    init(_ accepted: AcceptedQuery) {
        self.init(
            model: accepted.model,
            inputTokens: accepted.inputTokens,
            promptBytes: accepted.promptBytes,
            maxTokens: accepted.maxTokens,
            outputTokensHint: accepted.outputTokensHint,
            objective: accepted.objective,
            priority: accepted.priority,
            tenant: accepted.tenant,
            request: accepted.request
        )
        durability = accepted.durability
        owner = accepted.owner
        idempotencyKey = accepted.idempotencyKey
        requestHash = accepted.requestHash
    }
}
