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

    /// - Parameter isOwn: whether the broker itself decided so, and not the scheduler.
    mutating func place(_ placement: Placement, isOwn: Bool, at now: Instant) {
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
}
