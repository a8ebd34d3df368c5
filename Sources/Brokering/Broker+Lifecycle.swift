internal import DequeModule
internal import HeapModule
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
            if queries[number]?.state == .queued { left.append(number) } else { queries[number]?.isListed = false }
        }
        unplaced = left
    }

    /// A query's one end, whatever state it was in.
    mutating func end(_ number: QueryNumber, with status: Status, at now: Instant) {
        guard let record = queries[number] else { return }
        precondition(!record.hasEnded, "a query ends once")
        leaveState(of: record, because: status)
        if case .leased(let worker, let lease) = record.state, !status.isOK {
            actions.append(.revoke(worker, [lease]))
        }
        dropCache(of: number)
        queries[number]?.state = .ended(status)
        queries[number]?.ended = now
        liveQueries -= 1
        liveBytes -= record.submission.request.count
        spooledBytes -= record.output.storedBytes
        queries[number]?.submission.request = []
        retainedBytes += record.output.byteCount
        if let ended = queries[number] {
            models[record.model]?.record(ended, endedWith: status)
            tenants.noteEnd(of: ended, with: status)
            noteEnd(of: ended, with: status, at: now)
        }
        writeEnd(of: number, at: now)
        retained.append((now, number))
        tellEnd(of: record, with: status)
        traceEnd(of: number, at: now)
        announceReaders(of: number)
        forgetOldResults(at: now)
    }

    private mutating func tellEnd(of record: QueryRecord, with status: Status) {
        // One that rests has ended already for the scheduler.
        if case .pausing = record.state { return }
        tell(
            .queryEnded(
                QueryEnded(
                    query: record.number,
                    code: status.code,
                    inputTokens: record.inputTokens ?? 0,
                    outputTokens: record.output.count
                )
            )
        )
    }

    /// Undoes what the query's present state holds elsewhere.
    ///
    /// - Parameter status: how its attempt or the query ends.
    mutating func leaveState(of record: QueryRecord, because status: Status) {
        switch record.state {
        case .queued, .pausing:
            models[record.model]?.queued -= 1
        case .placed(let worker):
            models[record.model]?.queued -= 1
            workers[worker]?.queued -= 1
        case .leased(let worker, let lease):
            models[record.model]?.running -= 1
            // Where the attempt's own failure ends the query, the query's end is another.
            models[record.model]?.figures.noteLeaseEnd(record.attempts.last?.failure?.status ?? status)
            queriesByLease[lease] = nil
            workers[worker]?.remove(lease)
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
            max(record.arrival, model.abandoned ?? record.arrival) + patience(of: record) <= now
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
            guard let record = queries[oldest.query], !record.isOverdue else { continue }
            retainedBytes -= record.output.byteCount
            queries[oldest.query]?.isOverdue = true
            forgetIfOverdue(oldest.query)
        }
    }

    /// A result whose time is over is kept only while somebody reads it.
    mutating func forgetIfOverdue(_ number: QueryNumber) {
        guard let place = queries.place(of: number), queries[place: place].isOverdue,
            queries[place: place].readers.isEmpty
        else { return }
        let record = queries[place: place]
        precondition(record.hasEnded, "only what has ended is forgotten")
        queries[number] = nil
        numbersByID[record.id] = nil
        if let key = record.submission.idempotencyKey {
            numbersByKey[IdempotencyKey(owner: record.submission.owner, key: key)] = nil
        }
    }
}
