internal import HeapModule
internal import RecordTables
internal import ServingModel

/// Attempts that come to nothing, and what follows.
extension Broker {
    /// An attempt came to nothing: the query is tried again after a pause, or ends if it has had its attempts.
    ///
    /// - Parameter suspects: among how many queries this one may be why its worker was lost; 0 if it can't be.
    mutating func retry(_ number: QueryNumber, because status: Status, suspects: Int = 0, at now: Instant) {
        guard let place = queries.place(of: number) else { return }
        let record = queries[place: place]
        queries[place: place].latest?.failure = (status, now)
        guard record.output.count < record.submission.maxTokens else {
            // All tokens are there; only the word that they were the last was lost with the worker.
            queries[number]?.finish = .length
            end(number, with: .ok, at: now)
            return
        }
        // It was to show what that worker does, so no other can stand in for it.
        guard record.submission.worker == nil else { return end(number, with: status, at: now) }
        let failure = FailedAttempt(
            attempt: record.attempt,
            worker: record.workerName,
            at: wallClock.unixTime(of: now),
            code: status.code,
            // A worker that was lost with the query in its queue says nothing about the query.
            reason: status.reason == .workerLost && suspects == 0 ? .none : status.reason,
            message: status.message,
            outputTokens: record.output.count,
            suspects: status.reason == .workerLost ? suspects : 1
        )
        queries[number]?.failures.append(failure)
        if status.reason == .handoverFailed { models[place: record.home].figures.noteFailedHandover() }
        dropCache(at: place)
        if case .leased(let worker, _) = record.state {
            queries[number]?.failedOn = workers[worker] == nil ? nil : worker
        }
        if let verdict = verdict(on: record.failures + [failure]) {
            // The history goes with the end; a broker that finds the one without the other gives up as well.
            if record.durability != .volatile { write(.retried(number, attempt: record.attempt + 1, failure)) }
            end(number, with: verdict, at: now)
            return
        }
        leaveState(at: place, because: status)
        models[place: record.home].retried += 1
        models[place: record.home].queued += 1
        models[place: record.home].admission?.queryRequeued(number, at: now)
        queries[number]?.attempt += 1
        let pause = configuration.pause(before: record.failures.count + 1, of: record.id)
        self.pause(
            number,
            until: now + pause,
            after: .retried(number, attempt: record.attempt + 1, failure),
            at: now
        )
    }

    /// How a query has to end after these failures; nil if it may be tried again.
    func verdict(on failures: [FailedAttempt]) -> Status? {
        if let last = failures.last(where: { $0.reason == .workerLost }) {
            let blamed = failures.count {
                $0.reason == .workerLost && $0.suspects == 1 && $0.outputTokens >= last.outputTokens
            }
            guard blamed < configuration.maximumWorkersLost else {
                let message = "gave up: \(blamed) workers were lost with nothing else to blame, and it got no further"
                return Status(.internalError, .poisonous, message)
            }
        }
        let blameless = failures.count(where: \.isBlameless)
        guard blameless < configuration.maximumLosses else {
            return Status(.unavailable, .attemptsExhausted, "gave up: \(blameless) workers were lost with it")
        }
        let counted = failures.filter(\.counts)
        guard counted.count >= configuration.maximumAttempts, let last = counted.last else { return nil }
        let message = "gave up after \(counted.count) attempts; the last: \(last.message)"
        return Status(.unavailable, .attemptsExhausted, message)
    }

    /// Lets a query rest until `until`, and until the journal has `record` if the query is written down.
    mutating func pause(
        _ number: QueryNumber,
        until: Instant,
        after record: @autoclosure () -> JournalRecord,
        at now: Instant
    ) {
        guard let query = queries[number] else { return }
        queries[number]?.state = .pausing(until: until)
        if query.durability != .volatile {
            let written = writeAwaited(record())
            queries[number]?.attemptRecord = written
        }
        resumeIfReady(number, at: now)
        guard case .pausing? = queries[number]?.state else { return }
        // The scheduler is to know that the query has left its worker; it is queued anew when it has rested.
        tell(.queryEnded(QueryEnded(query: number, code: .unavailable, inputTokens: 0, outputTokens: 0)))
        if until > now { wake(number, at: until) }
        startPatience(of: number, at: now)
    }

    /// Queues a query that has rested and whose attempt is written down.
    mutating func resumeIfReady(_ number: QueryNumber, at now: Instant) {
        guard let place = queries.place(of: number), case .pausing(let until) = queries[place: place].state,
            until <= now, queries[place: place].attemptRecord <= durable
        else { return }
        enqueue(number, at: now)
        startPatience(of: number, at: now)
    }

    /// While no worker serves its model, a query waits for a bounded time.
    mutating func startPatience(of number: QueryNumber, at now: Instant) {
        guard let place = queries.place(of: number), models[place: queries[place: place].home].workers == 0 else {
            return
        }
        wake(number, at: now + patience(of: queries[place: place].durability))
    }

    /// Times at which some query is looked at again.
    var timers: Int { deadlines.count }

    /// Looks at a query again at a time.
    mutating func wake(_ number: QueryNumber, at time: Instant) {
        if deadlines.count >= manyDeadlines {
            // A query's timers stay until they are due, and it may have ended long before.
            let left = deadlines.unordered.filter { timer in queries[timer.query].map { !$0.hasEnded } ?? false }
            deadlines = Heap(left)
            manyDeadlines = 2 * left.count + 64
        }
        deadlines.insert(Timer(at: time, query: number))
    }

    func patience(of durability: Durability) -> Interval {
        durability == .volatile ? configuration.noWorkerPatience : configuration.durableNoWorkerPatience
    }
}

extension FailedAttempt {
    /// Whether it is one of the attempts that a query may have.
    ///
    /// However often workers are restarted, those that leave in good order don't cost a query its attempts. Nor does a KV
    /// cache that did not arrive, which happens to a query once. Nor does a
    /// worker that was lost with it when it was one of many that may be why, or none of them; such losses have a limit of
    /// their own.
    var counts: Bool { suspects == 1 && reason != .shuttingDown && reason != .handoverFailed }

    var isBlameless: Bool { suspects != 1 }
}

extension BrokerConfiguration {
    /// The rest before a query is tried again, the `failures`th time that it came to nothing.
    ///
    /// It varies by a fifth, by the query's identifier, so that those that failed together do not return together.
    func pause(before failures: Int, of id: QueryID) -> Interval {
        guard failures >= 2 else { return .zero }
        var pause = retryPause.seconds
        for _ in 2..<failures where pause < retryPauseLimit.seconds { pause *= 2 }
        var hash = FNV1a()
        withUnsafeBytes(of: (id.high, id.low, failures)) { hash.combine($0) }
        let jitter = Double(hash.value >> 40) / Double(1 << 24)
        return .seconds(rounding: min(pause, retryPauseLimit.seconds) * (0.8 + 0.4 * jitter))
    }
}
