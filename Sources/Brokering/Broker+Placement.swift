internal import DequeModule
internal import RecordTables
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
        guard let place = queries.place(of: placement.query), queries[place: place].attempt == placement.attempt,
            isOwn || queries[place: place].submission.worker == nil
        else { return }
        let state = queries[place: place].state
        switch state {
        case .queued, .placed: break
        case .pausing, .leased, .ended: return
        }
        guard let home = workers.place(of: placement.worker), !workers[place: home].isDraining,
            workers[place: home].joined.profile.model == queries[place: place].model
        else {
            // The scheduler takes the query for placed. It has heard by now if the worker left.
            let queued = queries[place: place].queuedQuery(at: now)
            tell(.queryQueued(queued))
            return
        }
        if case .placed(let previous) = state { workers[previous]?.queued -= 1 }
        queries[place: place].state = .placed(placement.worker)
        if queries[place: place].firstToken == nil {
            queries[place: place].predictedTimeToFirstToken = placement.predictedTimeToFirstToken
        }
        remember(placement, isOwn: isOwn, at: now)
        workers[place: home].queue.append(placement.query)
        workers[place: home].queued += 1
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
            guard let worker = roomiest(for: record) else {
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

    /// Of the workers that are there for the query's phase; of all its model's where there is none of these.
    ///
    /// One on which it has just failed is the last choice.
    private func roomiest(for record: QueryRecord) -> WorkerID? {
        var best: (worker: WorkerID, spare: Int, isFit: Bool)?
        for id in workerOrder {
            guard let worker = workers[id], !worker.isDraining, worker.joined.profile.model == record.model else {
                continue
            }
            let isFit = worker.joined.isMeant(forCacheIn: record.handover?.exchange) && id != record.failedOn
            if let known = best, isFit == known.isFit ? worker.spare <= known.spare : known.isFit { continue }
            best = (id, worker.spare, isFit)
        }
        return best.flatMap { $0.spare > 0 ? $0.worker : nil }
    }

    /// Whether any worker of the model could ever serve this within its objective.
    ///
    /// - Parameter home: the place of the model's record.
    mutating func checkFit(of submission: Submission, on model: String, _ home: Int) throws(Status) {
        guard let reach = reach(of: model, home) else { return }
        guard (submission.inputTokens ?? 1) + submission.maxTokens <= reach.contextLength else {
            throw Status(
                .outOfRange,
                .maxTokensOutOfRange,
                "prompt and max_tokens (\(submission.maxTokens)) exceed the model's context of "
                    + "\(reach.contextLength) tokens"
            )
        }
        guard let objective = submission.objective else { return }
        guard objective.timeToFirstToken >= reach.prefill else {
            throw Self.unreachable("time to first token", objective.timeToFirstToken, reach.prefill)
        }
        guard objective.averageTokenTime >= reach.step || submission.maxTokens == 1 else {
            throw Self.unreachable("average token time", objective.averageTokenTime, reach.step)
        }
    }

    /// What the best of a model's workers can do; nil if there is none.
    ///
    /// Found out anew only when one has come or gone.
    private mutating func reach(of model: String, _ home: Int) -> ModelRecord.Reach? {
        if let reach = models[place: home].reach { return reach }
        var reach: ModelRecord.Reach?
        for id in workerOrder {
            guard let joined = workers[id]?.joined, joined.profile.model == model else { continue }
            reach = reach?.including(joined) ?? ModelRecord.Reach(joined)
        }
        models[place: home].reach = reach
        return reach
    }

    private static func unreachable(_ what: String, _ wanted: Interval, _ best: Interval) -> Status {
        Status(
            .failedPrecondition,
            .objectiveUnreachable,
            "no worker can meet this \(what) (\(wanted.milliseconds) ms): unloaded, the fastest takes \(best.milliseconds) ms"
        )
    }
}
