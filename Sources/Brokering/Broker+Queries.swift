internal import HeapModule
internal import RecordTables
package import ServingModel

extension Broker {
    /// Accepts a query or says why not.
    ///
    /// An accepted query's events are announced for `stream`. One whose name its owner has used before is that query
    /// again, and the stream reads its answer.
    ///
    /// - Throws: a `Status`; nothing was changed then.
    package mutating func submit(
        _ submission: Submission,
        id: QueryID,
        from stream: StreamKey,
        at now: Instant
    ) throws(Status) {
        try submit(submission, id: id, from: stream, isLookedUp: false, arrival: now, at: now)
    }

    /// - Parameter isLookedUp: whether the journal was asked for the query's name already.
    mutating func submit(
        _ submission: Submission,
        id: QueryID,
        from stream: StreamKey,
        isLookedUp: Bool,
        arrival: Instant,
        at now: Instant
    ) throws(Status) {
        if let key = submission.key {
            if let number = numbersByKey[key] { return try join(number, with: submission, by: stream) }
            if !isLookedUp, isJournaled, knownNames.contains(key.fingerprint) {
                return try lookUp(.key(key), for: stream, .submit(submission, id, arrival: arrival))
            }
        }
        try checkShard(of: submission)
        let (model, home) = try model(of: submission)
        do throws(Status) {
            try checkRoom(for: submission, on: model, home, from: stream)
            try checkJournal(for: submission)
            if let worker = submission.worker {
                guard takes(worker, queriesFor: model) else { throw Self.chosenWorkerGone }
            } else {
                try checkLoad(for: submission, on: model, at: now)
            }
        } catch {
            models[place: home].refused += 1
            models[place: home].figures.noteRefusal(error)
            tenants.noteRefusal(of: submission, for: model)
            throw error
        }
        var submission = submission
        submission.trace = traceContext(of: submission, id)
        var record = QueryRecord(
            number: makeNumber(),
            id: id,
            model: model,
            submission: submission,
            objective: submission.objective ?? configuration.objective,
            arrival: arrival,
            deadline: submission.timeout.map { arrival + $0 },
            durability: isJournaled ? submission.durability : .volatile
        )
        record.home = home
        let number = record.number
        let place = insert(record, at: now)
        writeAcceptance(at: place, at: now)
        noteAcceptance(of: number, at: now)
        read(number, at: place, by: stream, from: 0, isOwn: true)
        enqueue(number, at: now)
    }

    /// A submission under a name that is in use.
    private mutating func join(
        _ number: QueryNumber,
        with submission: Submission,
        by stream: StreamKey
    ) throws(Status) {
        guard let place = queries.place(of: number),
            queries[place: place].submission.requestHash == submission.requestHash
        else {
            throw Status(
                .alreadyExists,
                .keyReused,
                "this idempotency-key belongs to another request; use a new one for each"
            )
        }
        try checkCalls(of: stream.session)
        read(number, at: place, by: stream, from: 0, isOwn: true)
        readers[stream]?.isDuplicate = true
    }

    /// Streams a query that was accepted before.
    ///
    /// A reader that knows tokens which a later attempt has replaced is told to forget them.
    ///
    /// - Throws: a `Status`. A query that only the journal knows is looked up; a refusal comes as an action then.
    package mutating func attach(_ attachment: Attachment, by stream: StreamKey) throws(Status) {
        try attach(attachment, by: stream, isLookedUp: false)
    }

    mutating func attach(_ attachment: Attachment, by stream: StreamKey, isLookedUp: Bool) throws(Status) {
        guard let number = numbersByID[attachment.query], let place = queries.place(of: number) else {
            return try lookUp(attachment.query, for: stream, .attach(attachment), isLookedUp: isLookedUp)
        }
        let record = queries[place: place]
        guard attachment.account.sees(record) else { throw Self.unknownQuery }
        let index = attachment.firstIndex
        guard index >= 0, index <= max(record.output.count, record.submission.maxTokens) else {
            throw Status(.outOfRange, .malformed, "first_index lies beyond the answer's end")
        }
        try checkCalls(of: stream.session)
        let known = record.output.boundary(
            at: min(index, record.firstRewritten(after: attachment.seenAttempt) ?? index)
        )
        read(number, at: place, by: stream, from: known, isOwn: false)
        if known < index { readers[stream]?.owesReset = true }
    }

    /// A client gives a call up.
    ///
    /// The query ends unless somebody else reads it. Giving up `Attach` ends no query that is written down: its reader
    /// came to look at it, and may not be who wants it.
    ///
    /// A query that is written down and ends with this is told to have ended when that is, too: its reader stays until
    /// then and hears nothing else.
    ///
    /// - Returns: whether the call was still open and nothing more is said to it.
    package mutating func cancel(_ stream: StreamKey, at now: Instant) -> Bool {
        guard let seat = readers.place(of: stream) else { return giveUpParked(stream) }
        guard !readers[place: seat].hearsEndOnly else { return false }
        let place = readers[place: seat].place
        if readers[place: seat].isOwn, queries[place: place].durability != .volatile,
            queries[place: place].readers.isOnly(stream), !queries[place: place].hasEnded
        {
            readers[place: seat].hearsEndOnly = true
            end(readers[place: seat].query, with: Self.cancelledByClient, at: now)
            return false
        }
        guard let reader = remove(reader: stream) else { return false }
        if reader.isOwn || queries[reader.query]?.durability == .volatile {
            endIfUnread(reader.query, Self.cancelledByClient, at: now)
        }
        return true
    }

    static let cancelledByClient = Status(.cancelled, .cancelledByClient, "cancelled by the client")

    /// A client's session is over: its calls are closed.
    ///
    /// Volatile queries that nobody else reads end with it. What is written down goes on: its client may come back for
    /// it, from another session or another machine.
    package mutating func sessionEnded(_ session: SessionID, at now: Instant) {
        // Streams are numbered in the order in which they were opened.
        for stream in streamsBySession[session]?.sorted() ?? [] {
            guard let reader = remove(reader: stream.key(in: session)), queries[reader.query]?.durability == .volatile
            else { continue }
            endIfUnread(reader.query, Status(.cancelled, .clientGone, "the client's session ended"), at: now)
        }
        streamsBySession[session] = nil
        awaitedEnds.removeAll { $0.stream.session == session }
        giveUpParked(of: session)
    }

    /// After names were looked up: a query that was taken here before its shard changed is still known here.
    private func checkShard(of submission: Submission) throws(Status) {
        guard let shard = configuration.shard else { return }
        try shard.check(tenant: submission.tenant)
        // The only model served, if none is named, is one that may be served here.
        if !submission.model.isEmpty { try shard.check(model: submission.model) }
    }

    /// - Returns: its model, and the place of that one's record.
    private func model(of submission: Submission) throws(Status) -> (name: String, home: Int) {
        let named = submission.model.isEmpty && modelOrder.count == 1 ? modelOrder[0] : submission.model
        if !named.isEmpty, let home = models.place(of: named) { return (named, home) }
        let served = modelOrder.filter { (models[$0]?.workers ?? 0) > 0 }
        // While nobody serves, those that were served may come back.
        let offered = served.isEmpty ? modelOrder : served
        guard let only = offered.first else {
            throw Status(.unavailable, .noWorker, "no worker is connected", retryAfter: .seconds(5))
        }
        let list = offered.joined(separator: ", ")
        guard submission.model.isEmpty else {
            throw Status(.notFound, .unknownModel, "no worker serves this model; served: \(list)")
        }
        guard offered.count == 1 else {
            throw Status(.invalidArgument, .unknownModel, "several models are served, name one of: \(list)")
        }
        guard let home = models.place(of: only) else { preconditionFailure("a model that is served has a record") }
        return (only, home)
    }

    /// - Parameter home: the place of the model's record.
    private mutating func checkRoom(
        for submission: Submission,
        on model: String,
        _ home: Int,
        from stream: StreamKey
    ) throws(Status) {
        guard liveQueries < configuration.maximumQueries,
            liveBytes + submission.request.count <= configuration.maximumQueuedBytes
        else {
            throw Status(.resourceExhausted, .queueFull, "the queue is full", retryAfter: .seconds(1))
        }
        guard spooledBytes < configuration.maximumSpooledBytes else {
            throw Status(
                .resourceExhausted,
                .queueFull,
                "the answers under way fill the broker's memory",
                retryAfter: .seconds(1)
            )
        }
        try checkCalls(of: stream.session)
        try checkFit(of: submission, on: model, home)
    }

    private func checkCalls(of session: SessionID) throws(Status) {
        guard (streamsBySession[session]?.count ?? 0) < configuration.maximumQueriesPerSession else {
            throw Status(
                .resourceExhausted,
                .tooManyQueries,
                "this session has \(configuration.maximumQueriesPerSession) calls open already",
                retryAfter: .seconds(1)
            )
        }
    }

    /// - Parameter place: of the query's record.
    private mutating func read(
        _ number: QueryNumber,
        at place: Int,
        by stream: StreamKey,
        from index: Int,
        isOwn: Bool
    ) {
        var reader = Reader(query: number, at: place, cursor: index, isOwn: isOwn)
        reader.isAnnounced = true
        readers[stream] = reader
        streamsBySession[stream.session, default: []].insert(OpenStream(stream))
        queries[place: place].readers.append(stream)
        queries[place: place].isAnnounced = false
        actions.append(.announce(stream))
    }

    @discardableResult
    mutating func remove(reader stream: StreamKey) -> Reader? {
        guard let reader = readers.removeValue(forKey: stream) else { return nil }
        queries[place: reader.place].readers.remove(stream)
        streamsBySession[stream.session]?.remove(OpenStream(stream))
        forgetIfOverdue(reader.query, at: reader.place)
        return reader
    }

    private mutating func endIfUnread(_ number: QueryNumber, _ status: Status, at now: Instant) {
        guard let place = queries.place(of: number), queries[place: place].readers.isEmpty,
            !queries[place: place].hasEnded
        else { return }
        end(number, with: status, at: now)
    }
}
