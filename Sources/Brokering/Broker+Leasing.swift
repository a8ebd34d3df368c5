internal import DequeModule
internal import RecordTables
internal import ServingModel

/// What workers take from their queues.
extension Broker {
    /// Gives every marked worker what it is willing to take from its queue.
    mutating func feedMarkedWorkers(at now: Instant) {
        for id in markedWorkers {
            guard let home = workers.place(of: id) else { continue }
            workers[place: home].isMarked = false
            feed(id, at: home, now)
        }
        markedWorkers.removeAll(keepingCapacity: true)
    }

    /// - Parameter home: the place of the worker's record.
    private mutating func feed(_ id: WorkerID, at home: Int, _ now: Instant) {
        // Whoever is about to lose its session gets no more: an attempt would be lost with it.
        guard !workers[place: home].isExpelled else { return }
        var batch: [Assignment] = []
        var heldBack: [QueryNumber] = []
        while let number = workers[place: home].nextPlaced() {
            guard let place = queries.place(of: number), queries[place: place].state == .placed(id) else { continue }
            if let deadline = queries[place: place].deadline, deadline <= now {
                let status = Status(.deadlineExceeded, .deadlineExpired, "the query's deadline has passed")
                end(number, with: status, at: now)
                continue
            }
            if queries[place: place].isSuspect, isHeldBack(number, from: workers[place: home], at: now) {
                heldBack.append(number)
            } else {
                batch.append(lease(number, at: place, to: id, at: home, now))
            }
        }
        workers[place: home].queue.prepend(contentsOf: heldBack)
        workers[place: home].holdsBack = !heldBack.isEmpty
        if !batch.isEmpty { actions.append(.dispatch(id, batch)) }
    }

    /// - Parameters:
    ///   - place: of the query's record.
    ///   - home: of the worker's.
    private mutating func lease(
        _ number: QueryNumber,
        at place: Int,
        to id: WorkerID,
        at home: Int,
        _ now: Instant
    ) -> Assignment {
        let lease = makeLease()
        let resumes =
            workers[place: home].joined.resumesPrefix && queries[place: place].output.isResumable
        if !resumes, queries[place: place].output.count != 0 {
            var record = queries[place: place]
            reset(&record)
            queries[place: place] = record
        }
        let attempt = queries[place: place].attempt
        let moves = handover(of: place, to: home)
        // The second worker of an attempt makes no other of it.
        if queries[place: place].durability != .volatile, queries[place: place].startedAttempt < attempt {
            write(.leased(number, attempt: attempt, lease))
        }
        let model = queries[place: place].home
        let wait = queries[place: place].startedAttempt == 0 ? now - queries[place: place].arrival : nil
        models[place: model].figures.noteLease(after: wait)
        queries[place: place].begin(lease, on: id, named: workers[place: home].joined.name, at: now)
        queriesByLease[lease] = number
        workers[place: home].noteDispatch(of: lease, at: now)
        models[place: model].queued -= 1
        models[place: model].running += 1
        tell(.queryDispatched(number, to: id, attempt: attempt))
        announceReaders(at: place)
        // Few are part of a trace, and the whole record would be copied to see what it is.
        let isTraced = queries[place: place].submission.trace != nil
        return Assignment(
            lease: lease,
            id: queries[place: place].id,
            attempt: attempt,
            remaining: queries[place: place].deadline.map { max($0 - now, .milliseconds(1)) },
            request: queries[place: place].submission.request,
            resumedTokens: queries[place: place].output.tokenIDs,
            trace: isTraced ? traceContext(of: queries[place: place]) : nil,
            handsOver: moves.handsOver,
            kvCache: moves.kvCache
        )
    }

    /// The answer starts over; whoever has read some of it is told.
    private mutating func reset(_ record: inout QueryRecord) {
        spooledBytes -= record.output.storedBytes
        record.output.removeAll()
        record.rewrite(from: 0, by: record.attempt)
        if record.checkpointed.tokens > 0 { record.resetRecord = writeAwaited(.reset(record.number)) }
        record.voidCheckpoints()
        for stream in record.readers {
            guard let seat = readers.place(of: stream), readers[place: seat].cursor > 0 else { continue }
            readers[place: seat].cursor = 0
            readers[place: seat].owesReset = true
        }
    }
}
