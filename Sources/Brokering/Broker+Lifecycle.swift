internal import DequeModule
internal import HeapModule
internal import RecordTables
package import ServingModel

extension Broker {
    /// Puts a query into state `queued`, to be placed by whoever places.
    mutating func enqueue(_ number: QueryNumber, at now: Instant) {
        guard let place = queries.place(of: number) else { return }
        precondition(!queries[place: place].hasEnded, "an ended query cannot be queued")
        queries[place: place].state = .queued
        if !queries[place: place].isListed {
            queries[place: place].isListed = true
            unplaced.append(number)
            tidyUnplaced()
        }
        if schedulerIsAttached {
            let queued = queries[place: place].queuedQuery(at: now)
            tell(.queryQueued(queued))
        }
        if let worker = queries[place: place].submission.worker { placeAsChosen(number, on: worker, at: now) }
    }

    /// Drops entries that have moved on once they are the greater part, so that the list stays within twice the queue.
    private mutating func tidyUnplaced() {
        guard unplaced.count > 2 * liveQueries + 64 else { return }
        var left: Deque<QueryNumber> = []
        for number in unplaced {
            guard let place = queries.place(of: number) else { continue }
            if case .queued = queries[place: place].state {
                left.append(number)
            } else {
                queries[place: place].isListed = false
            }
        }
        unplaced = left
    }

    /// A query's one end, whatever state it was in.
    mutating func end(_ number: QueryNumber, with status: Status, at now: Instant) {
        guard let place = queries.place(of: number) else { return }
        let state = queries[place: place].state
        precondition(!queries[place: place].hasEnded, "a query ends once")
        leaveState(at: place, because: status)
        if case .leased(let worker, let lease) = state, !status.isOK {
            actions.append(.revoke(worker, [lease]))
        }
        dropCache(at: place)
        liveQueries -= 1
        liveBytes -= queries[place: place].submission.request.count
        spooledBytes -= queries[place: place].output.storedBytes
        queries[place: place].state = .ended(status)
        queries[place: place].ended = now
        queries[place: place].submission.request = []
        retainedBytes += queries[place: place].output.byteCount
        let outcome = queries.withRecord(at: place) { $0.outcome(status) }
        models[place: queries[place: place].home].noteEnd(outcome)
        tenants.noteEnd(outcome)
        noteEnd(at: place, outcome, at: now)
        writeEnd(at: place, at: now)
        retained.append((now, number, place))
        // One that rests has ended already for the scheduler.
        if case .pausing = state {} else { tellEnd(at: place, with: status) }
        traceEnd(of: number, at: now)
        announceReaders(at: place)
        forgetOldResults(at: now)
    }

    private mutating func tellEnd(at place: Int, with status: Status) {
        let ended = QueryEnded(
            query: queries[place: place].number,
            code: status.code,
            inputTokens: queries[place: place].inputTokens ?? 0,
            outputTokens: queries[place: place].output.count
        )
        tell(.queryEnded(ended))
    }

    /// Undoes what a query's present state holds elsewhere.
    ///
    /// - Parameters:
    ///   - place: of its record.
    ///   - status: how its attempt or the query ends.
    mutating func leaveState(at place: Int, because status: Status) {
        let home = queries[place: place].home
        switch queries[place: place].state {
        case .queued, .pausing:
            models[place: home].queued -= 1
        case .placed(let worker):
            models[place: home].queued -= 1
            workers[worker]?.queued -= 1
        case .leased(let worker, let lease):
            models[place: home].running -= 1
            // Where the attempt's own failure ends the query, the query's end is another.
            let failure = queries.withRecord(at: place) { $0.attemptFailure }
            models[place: home].figures.noteLeaseEnd(failure ?? status)
            queriesByLease[lease] = nil
            if let worker = workers.place(of: worker) { workers[place: worker].remove(lease) }
        case .ended:
            break
        }
    }

    /// Ends what is past its time, and forgets results that have been kept long enough.
    ///
    /// - Returns: when to call again at the latest.
    package mutating func tick(at now: Instant) -> Instant {
        while let timer = deadlines.min, timer.at <= now {
            _ = deadlines.popMin()
            expire(timer.query, at: now)
        }
        forgetOldResults(at: now)
        expelHangingWorkers(at: now)
        markHoldingWorkers()
        var next = now + .seconds(1)
        if let timer = deadlines.min { next = min(next, timer.at) }
        if let gone = schedulerGone {
            next = min(next, max(gone + configuration.schedulerGrace, now + .milliseconds(10)))
        }
        return next
    }

    private mutating func expire(_ number: QueryNumber, at now: Instant) {
        guard let record = queries[number], !record.hasEnded else { return }
        if let deadline = record.deadline, deadline <= now {
            end(number, with: Status(.deadlineExceeded, .deadlineExpired, "the query's deadline has passed"), at: now)
            return
        }
        resumeIfReady(number, at: now)
        // A timer from an earlier absence of the workers says nothing about this one.
        guard let model = models[record.model], model.workers == 0, !record.isOnWorker,
            max(record.arrival, model.abandoned ?? record.arrival) + patience(of: record.durability) <= now
        else { return }
        end(
            number,
            with: Status(
                .unavailable,
                .noWorker,
                "no worker for this model came back in time",
                retryAfter: .seconds(10)
            ),
            at: now
        )
    }

    private mutating func forgetOldResults(at now: Instant) {
        while let oldest = retained.first,
            oldest.ended + configuration.resultRetention <= now
                || retained.count > configuration.maximumRetainedResults
                || retainedBytes > configuration.maximumRetainedBytes
        {
            retained.removeFirst()
            // Another has its place if it was forgotten.
            let place = oldest.place
            guard queries.isTaken(place), queries[place: place].number == oldest.query, !queries[place: place].isOverdue
            else { continue }
            retainedBytes -= queries[place: place].output.byteCount
            queries[place: place].isOverdue = true
            forgetIfOverdue(oldest.query, at: place)
        }
    }

    /// A result whose time is over is kept only while somebody reads it.
    ///
    /// - Parameter place: of its record.
    mutating func forgetIfOverdue(_ number: QueryNumber, at place: Int) {
        guard queries[place: place].isOverdue, queries[place: place].readers.isEmpty else { return }
        precondition(queries[place: place].hasEnded, "only what has ended is forgotten")
        numbersByID[queries[place: place].id] = nil
        if let key = queries[place: place].submission.key { numbersByKey[key] = nil }
        queries.remove(at: place, key: number)
    }
}
