internal import DequeModule
package import ServingModel

extension Broker {
    /// A scheduler has connected.
    ///
    /// It takes the place of an earlier one, and is told the present state first.
    ///
    /// - Parameter policy: what it calls its policy, for explanations.
    package mutating func schedulerAttached(policy: String = "", at now: Instant) {
        schedulerIsAttached = true
        self.policy = policy
        schedulerGone = nil
        // What an earlier scheduler was still to hear is part of the state that this one is told.
        actions.removeAll { if case .tell = $0 { true } else { false } }
        for id in workerOrder {
            guard let worker = workers[id] else { continue }
            workers[id]?.untold.removeAll()
            tell(.workerJoined(worker.joined))
            if worker.isDraining { tell(.workerLeft(id, isDraining: true)) }
        }
        for number in queries.keys.sorted() {
            guard let record = queries[number], !record.hasEnded else { continue }
            // One that rests is told when it is queued anew.
            if case .pausing = record.state { continue }
            tell(.queryQueued(record.queuedQuery(at: now)))
            if case .leased(let worker, _) = record.state {
                tell(.queryDispatched(number, to: worker, attempt: record.attempt))
            }
        }
        tell(.snapshotComplete)
    }

    package mutating func schedulerDetached(at now: Instant) {
        schedulerIsAttached = false
        policy = ""
        schedulerGone = now
    }

    /// Carries a decision out, unless its query or worker has moved on since.
    ///
    /// A query that was placed but not pulled may be placed anew.
    package mutating func place(_ placement: Placement, at now: Instant) {
        place(placement, isOwn: false, at: now)
    }

    private mutating func place(_ placement: Placement, isOwn: Bool, at now: Instant) {
        guard let record = queries[placement.query], record.attempt == placement.attempt,
            isOwn || record.submission.worker == nil
        else { return }
        switch record.state {
        case .queued, .placed: break
        case .pausing, .leased, .ended: return
        }
        guard let worker = workers[placement.worker], !worker.isDraining, worker.joined.profile.model == record.model
        else {
            // The scheduler takes the query for placed. It has heard by now if the worker left.
            tell(.queryQueued(record.queuedQuery(at: now)))
            return
        }
        if case .placed(let previous) = record.state { workers[previous]?.queued -= 1 }
        queries[placement.query]?.state = .placed(placement.worker)
        if record.firstToken == nil {
            queries[placement.query]?.predictedTimeToFirstToken = placement.predictedTimeToFirstToken
        }
        remember(placement, isOwn: isOwn, at: now)
        workers[placement.worker]?.queue.append(placement.query)
        workers[placement.worker]?.queued += 1
        mark(placement.worker)
    }

    /// Places a query on the one worker that its client has chosen; without that worker it ends.
    mutating func placeAsChosen(_ number: QueryNumber, on worker: WorkerID, at now: Instant) {
        guard let record = queries[number] else { return }
        guard takes(worker, queriesFor: record.model) else { return end(number, with: Self.chosenWorkerGone, at: now) }
        let placement = Placement(
            query: number,
            attempt: record.attempt,
            worker: worker,
            predictedTimeToFirstToken: nil,
            explanation: PlacementExplanation(
                reason: "the client chose this worker",
                held: now - record.arrival,
                batch: 1,
                candidates: []
            )
        )
        place(placement, isOwn: true, at: now)
    }

    func takes(_ worker: WorkerID, queriesFor model: String) -> Bool {
        workers[worker].map { !$0.isDraining && $0.joined.profile.model == model } ?? false
    }

    static let chosenWorkerGone = Status(
        .notFound,
        .noWorker,
        "the chosen worker is not there, or serves another model"
    )

    /// Gives every marked worker what it is willing to take from its queue.
    mutating func feedMarkedWorkers(at now: Instant) {
        for id in markedWorkers {
            workers[id]?.isMarked = false
            feed(id, at: now)
        }
        markedWorkers.removeAll(keepingCapacity: true)
    }

    private mutating func feed(_ id: WorkerID, at now: Instant) {
        // Whoever is about to lose its session gets no more: an attempt would be lost with it.
        guard workers[id]?.isExpelled == false else { return }
        var batch: [Assignment] = []
        var heldBack: [QueryNumber] = []
        while let worker = workers[id], worker.sent < worker.granted, let number = worker.queue.first {
            workers[id]?.queue.removeFirst()
            guard let record = queries[number], record.state == .placed(id) else { continue }
            if let deadline = record.deadline, deadline <= now {
                let status = Status(.deadlineExceeded, .deadlineExpired, "the query's deadline has passed")
                end(number, with: status, at: now)
                continue
            }
            if isHeldBack(number, from: worker, at: now) {
                heldBack.append(number)
            } else {
                batch.append(lease(number, to: id, at: now))
            }
        }
        workers[id]?.queue.prepend(contentsOf: heldBack)
        workers[id]?.holdsBack = !heldBack.isEmpty
        if !batch.isEmpty { actions.append(.dispatch(id, batch)) }
    }

    private mutating func lease(_ number: QueryNumber, to id: WorkerID, at now: Instant) -> Assignment {
        guard var record = queries[number], let worker = workers[id] else {
            preconditionFailure("only a known query can be leased, to a known worker")
        }
        let lease = makeLease()
        if record.output.count > 0, !(worker.joined.resumesPrefix && record.output.isResumable) {
            reset(&record)
        }
        if record.durability != .volatile { write(.leased(number, attempt: record.attempt, lease)) }
        models[record.model]?.figures.noteLease(of: record, at: now)
        record.state = .leased(id, lease)
        record.heldBack = nil
        record.startedAttempt = record.attempt
        record.workerName = worker.joined.name
        if let last = record.attempts.indices.last { record.attempts[last].dispatched = now }
        queries[number] = record
        queriesByLease[lease] = number
        workers[id]?.queued -= 1
        workers[id]?.sent += 1
        workers[id]?.leases.append(lease)
        workers[id]?.lastDispatch = now
        models[record.model]?.queued -= 1
        models[record.model]?.running += 1
        tell(.queryDispatched(number, to: id, attempt: record.attempt))
        announceReaders(of: number)
        return Assignment(
            lease: lease,
            id: record.id,
            attempt: record.attempt,
            remaining: record.deadline.map { max($0 - now, .milliseconds(1)) },
            request: record.submission.request,
            resumedTokens: record.output.tokenIDs,
            trace: traceContext(of: record)
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
            guard var reader = readers[stream], reader.cursor > 0 else { continue }
            reader.cursor = 0
            reader.pendingReset = 0
            readers[stream] = reader
        }
    }

    /// Places without a scheduler, once its grace is over: in order of arrival, to the worker with the most room.
    ///
    /// Complexity: O(waiting queries × workers) in the worst case, and only while no scheduler is there.
    mutating func placeByFallback(at now: Instant) {
        guard let gone = schedulerGone, gone + configuration.schedulerGrace <= now else { return }
        var left: Deque<QueryNumber> = []
        for number in unplaced {
            guard let record = queries[number], record.state == .queued else {
                queries[number]?.isListed = false
                continue
            }
            guard let worker = roomiest(for: record.model) else {
                left.append(number)
                continue
            }
            queries[number]?.isListed = false
            let placement = Placement(
                query: number,
                attempt: record.attempt,
                worker: worker,
                predictedTimeToFirstToken: nil,
                explanation: explainRoom(on: worker, for: record, at: now)
            )
            place(placement, isOwn: true, at: now)
        }
        unplaced = left
    }

    private func explainRoom(on chosen: WorkerID, for record: QueryRecord, at now: Instant) -> PlacementExplanation {
        let others = workerOrder.lazy.filter { id in
            id != chosen && workers[id]?.joined.profile.model == record.model
        }
        let candidates = [chosen] + others.prefix(PlacementExplanation.maximumCandidates - 1)
        return PlacementExplanation(
            reason: "no scheduler was connected: the worker with the most room",
            held: now - record.arrival,
            batch: 1,
            candidates: candidates.map { id in
                let isDraining = workers[id]?.isDraining ?? true
                return PlacementExplanation.Candidate(
                    worker: id,
                    terms: [.init("room", Double(workers[id]?.spare ?? 0))],
                    failed: isDraining ? "draining" : ""
                )
            }
        )
    }

    private func roomiest(for model: String) -> WorkerID? {
        var best: (worker: WorkerID, spare: Int)?
        for id in workerOrder {
            guard let worker = workers[id], !worker.isDraining, worker.joined.profile.model == model else { continue }
            if worker.spare > best?.spare ?? 0 { best = (id, worker.spare) }
        }
        return best?.worker
    }

    /// Whether any worker of the model could ever serve this within its objective.
    func checkFit(of submission: Submission, on model: String) throws(Status) {
        let profiles = workerOrder.compactMap { workers[$0] }.filter { $0.joined.profile.model == model }
        guard !profiles.isEmpty else { return }
        let context = profiles.map(\.joined.contextLength).max() ?? 0
        guard (submission.inputTokens ?? 1) + submission.maxTokens <= context else {
            throw Status(
                .outOfRange,
                .maxTokensOutOfRange,
                "prompt and max_tokens (\(submission.maxTokens)) exceed the model's context of \(context) tokens"
            )
        }
        guard let objective = submission.objective else { return }
        let prefill = StepWorkload(kind: .prefill, prefillTokens: 1, prefillSquares: 1)
        let decode = StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 1)
        let fastest = profiles.map { $0.joined.profile.duration(of: prefill) }.min() ?? .zero
        guard objective.timeToFirstToken >= fastest else {
            throw Self.unreachable("time to first token", objective.timeToFirstToken, fastest)
        }
        let step = profiles.map { $0.joined.profile.duration(of: decode) }.min() ?? .zero
        guard objective.averageTokenTime >= step || submission.maxTokens == 1 else {
            throw Self.unreachable("average token time", objective.averageTokenTime, step)
        }
    }

    private static func unreachable(_ what: String, _ wanted: Interval, _ best: Interval) -> Status {
        Status(
            .failedPrecondition,
            .objectiveUnreachable,
            "no worker can meet this \(what) (\(wanted.milliseconds) ms): unloaded, the fastest takes \(best.milliseconds) ms"
        )
    }
}
