internal import HeapModule
package import ServingModel

extension Broker {
    /// Accepts a query or says why not.
    ///
    /// An accepted query's events are announced for `stream`.
    ///
    /// - Throws: a `Status`; nothing was changed then.
    @discardableResult
    package mutating func submit(
        _ submission: Submission,
        id: QueryID,
        from stream: StreamKey,
        at now: Instant
    ) throws(Status) -> QueryNumber {
        let model = try model(of: submission)
        do throws(Status) {
            try checkRoom(for: submission, on: model, from: stream)
        } catch {
            models[model]?.refused += 1
            throw error
        }
        let record = QueryRecord(
            number: makeNumber(),
            id: id,
            model: model,
            submission: submission,
            objective: submission.objective ?? configuration.objective,
            arrival: now
        )
        queries[record.number] = record
        numbersByID[id] = record.number
        liveQueries += 1
        liveBytes += submission.request.count
        models[model]?.queued += 1
        if let deadline = record.deadline { deadlines.insert(Timer(at: deadline, query: record.number)) }
        if models[model]?.workers == 0 {
            deadlines.insert(Timer(at: now + configuration.noWorkerPatience, query: record.number))
        }
        read(record.number, by: stream, from: 0)
        enqueue(record.number, at: now)
        return record.number
    }

    /// Streams a query that was accepted before, from token `index` on.
    ///
    /// - Throws: a `Status`; `.notFound` also for a query that `account` may not see.
    package mutating func attach(
        to id: QueryID,
        by stream: StreamKey,
        from index: Int,
        as account: Account = .any
    ) throws(Status) {
        guard let number = numbersByID[id], let record = queries[number], account.sees(record) else {
            throw Status(.notFound, .unknownQuery, "no such query, or its result is no longer kept")
        }
        guard index >= 0, index <= max(record.output.count, record.submission.maxTokens) else {
            throw Status(.outOfRange, .malformed, "first_index lies beyond the answer's end")
        }
        try checkCalls(of: stream.session)
        read(number, by: stream, from: index)
    }

    /// A client gives a call up.
    ///
    /// The query ends unless somebody else reads it.
    ///
    /// - Returns: whether the call was still open.
    package mutating func cancel(_ stream: StreamKey, at now: Instant) -> Bool {
        guard let reader = remove(reader: stream) else { return false }
        endIfUnread(reader.query, Status(.cancelled, .cancelledByClient, "cancelled by the client"), at: now)
        return true
    }

    /// A client's session is over: all its calls are given up.
    package mutating func sessionEnded(_ session: SessionID, at now: Instant) {
        for stream in streamsBySession[session] ?? [] {
            guard let reader = remove(reader: stream) else { continue }
            endIfUnread(reader.query, Status(.cancelled, .clientGone, "the client's session ended"), at: now)
        }
        streamsBySession[session] = nil
    }

    private func model(of submission: Submission) throws(Status) -> String {
        if !submission.model.isEmpty, models[submission.model] != nil { return submission.model }
        let served = modelOrder.filter { (models[$0]?.workers ?? 0) > 0 }
        guard submission.model.isEmpty else {
            let known = served.isEmpty ? "none at the moment" : served.joined(separator: ", ")
            throw Status(.notFound, .unknownModel, "no worker serves this model; served: \(known)")
        }
        guard let only = served.first else {
            throw Status(.unavailable, .noWorker, "no worker is connected", retryAfter: .seconds(5))
        }
        guard served.count == 1 else {
            throw Status(
                .invalidArgument,
                .unknownModel,
                "several models are served, name one of: \(served.joined(separator: ", "))"
            )
        }
        return only
    }

    private func checkRoom(for submission: Submission, on model: String, from stream: StreamKey) throws(Status) {
        guard liveQueries < configuration.maximumQueries,
            liveBytes + submission.request.count <= configuration.maximumQueuedBytes
        else {
            throw Status(.resourceExhausted, .queueFull, "the queue is full", retryAfter: .seconds(1))
        }
        try checkCalls(of: stream.session)
        try checkFit(of: submission, on: model)
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

    private mutating func read(_ number: QueryNumber, by stream: StreamKey, from index: Int) {
        readers[stream] = Reader(query: number, cursor: index)
        streamsBySession[stream.session, default: []].append(stream)
        queries[number]?.readers.append(stream)
        announce(stream)
    }

    @discardableResult
    mutating func remove(reader stream: StreamKey) -> Reader? {
        guard let reader = readers.removeValue(forKey: stream) else { return nil }
        queries[reader.query]?.readers.removeAll { $0 == stream }
        if let index = streamsBySession[stream.session]?.firstIndex(of: stream) {
            streamsBySession[stream.session]?.remove(at: index)
        }
        forgetIfOverdue(reader.query)
        return reader
    }

    private mutating func endIfUnread(_ number: QueryNumber, _ status: Status, at now: Instant) {
        guard let record = queries[number], record.readers.isEmpty, !record.hasEnded else { return }
        end(number, with: status, at: now)
    }
}
