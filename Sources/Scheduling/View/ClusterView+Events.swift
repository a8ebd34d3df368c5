internal import RecordTables
package import ServingModel

extension ClusterView {
    /// Brings the view up to date with an event.
    ///
    /// Events that make no sense (a query never heard of) are ignored: the view is soft state, and a snapshot mends it.
    package mutating func apply(_ event: ClusterEvent, at now: Instant) {
        switch event {
        case .workerJoined(let joined):
            guard slots[joined.worker] == nil else { return }
            var worker = WorkerView(joined: joined)
            if let learnt = learntSteps[joined.worker] {
                worker.estimator = learnt
                worker.model = StepModel(learnt.profile)
            }
            add(worker)
            if joined.keepsPrefixes {
                prefixes.add(joined.worker, capacityTokens: joined.profile.kvCache.capacityTokens)
            }
        case .workerLeft(let worker, let isDraining):
            remove(worker, isDraining: isDraining)
        case .queryQueued(let query):
            let age = query.handover?.firstTokenAge.nanoseconds
            let firstToken = age.map { Instant(nanoseconds: now.nanoseconds - $0) }
            queue(query, prefilled: firstToken, at: now)
        case .queryDispatched(let number, let worker, _):
            // Usually known: the worker pulled what was placed there. After a snapshot or a fallback it is news.
            guard let slot = slots[worker], let place = queries.place(of: number),
                queries[place: place].worker != worker
            else { return }
            leaveStage(at: place)
            assign(at: place, to: slot, at: now)
        case .stepCompleted(let step):
            complete(step, at: now)
        case .queryEnded(let ended):
            end(ended, at: now)
        case .snapshotComplete:
            learntSteps = [:]
        }
    }

    private mutating func remove(_ worker: WorkerID, isDraining: Bool) {
        guard let slot = slots[worker] else { return }
        if isDraining {
            workers[slot].isDraining = true
            if leavePool(slot) { return }
        } else {
            workers.remove(at: slot)
            prefixes.remove(worker)
        }
        indexWorkers()
    }

    /// Queues a query.
    ///
    /// - Parameter prefilled: when its first token came, if it was prefilled elsewhere and its KV cache comes along.
    mutating func queue(_ query: QueuedQuery, prefilled: Instant? = nil, at now: Instant) {
        let known = queries.place(of: query.number)
        let firstToken = prefilled ?? known.flatMap { queries[place: $0].firstToken }
        if let known { leaveStage(at: known) }
        let input =
            query.inputTokens ?? promptLengths.tokens(inBytes: query.promptBytes, model: query.model)
        var view = QueryView(
            query,
            arrival: Instant(nanoseconds: now.nanoseconds - query.age.nanoseconds),
            prefillTokens: prefilled == nil ? input + query.outputTokens : 0
        )
        view.arrivesPrefilled = prefilled != nil
        view.firstToken = firstToken
        unplaced.insert(UnplacedQuery(view))
        if let known {
            queries[place: known] = view
        } else {
            queries.insert(view, for: query.number)
            queriesByModel[query.model] = (queriesByModel[query.model] ?? 0) + 1
        }
    }

    /// Changes what is known of a query that waits to be placed.
    mutating func replace(_ query: QueryView) {
        guard let known = queries.place(of: query.number),
            queries[place: known].arrivesPrefilled != query.arrivesPrefilled
        else { return }
        leaveStage(at: known)
        queries[place: known] = query
        unplaced.insert(UnplacedQuery(query))
    }

    /// - Parameter place: of the query's record.
    mutating func assign(at place: Int, to slot: Int, at now: Instant) {
        let query = queries[place: place]
        guard !query.arrivesPrefilled else { return assignPrefilled(query, at: place, to: slot, at: now) }
        queries[place: place].stage = .waiting(workers[slot].id)
        let cached = cachedTokens(of: query, onSlot: slot)
        notePrefix(of: query, onSlot: slot)
        workers[slot].enqueue(
            WorkerView.Waiting(
                number: query.number,
                arrival: query.arrival,
                deadline: query.firstToken == nil ? query.deadline : .distantFuture,
                prefillTokens: query.prefillTokens,
                prefilled: cached,
                tokenTime: query.objective.averageTokenTime.seconds,
                lengthHint: query.lengthHint
            )
        )
        notePlacement(on: slot, at: now)
    }

    /// What needs no prefill counts as a resident at once, though it gets no tokens before the worker has taken it in.
    private mutating func assignPrefilled(_ query: QueryView, at place: Int, to slot: Int, at now: Instant) {
        queries[place: place].stage = .running(workers[slot].id)
        let firstToken = query.firstToken ?? now
        workers[slot].join(
            WorkerView.Resident(
                number: query.number,
                tokenTime: query.objective.averageTokenTime.seconds,
                firstToken: firstToken.seconds,
                inputTokens: query.inputTokens,
                canMeet: firstToken <= query.deadline,
                lengthHint: query.lengthHint,
                offset: query.outputTokens - workers[slot].lockstepTokens
            )
        )
        notePlacement(on: slot, at: now)
    }

    private mutating func end(_ ended: QueryEnded, at now: Instant) {
        guard let place = queries.place(of: ended.query) else { return }
        leaveStage(at: place)
        let query = queries[place: place]
        queries.remove(at: place, key: ended.query)
        forget(query.queued.model)
        let input = ended.inputTokens > 0 ? ended.inputTokens : query.inputTokens
        if query.queued.inputTokens == nil, ended.inputTokens > 0 {
            promptLengths.observe(tokens: input, bytes: query.queued.promptBytes, model: query.queued.model)
        }
        if ended.code == .ok, ended.outputTokens > 0 {
            lengths.observe(
                outputTokens: ended.outputTokens,
                model: query.queued.model,
                inputTokens: input,
                tenant: query.queued.tenant
            )
        }
    }

    private mutating func forget(_ model: String) {
        let left = (queriesByModel[model] ?? 1) - 1
        queriesByModel[model] = left > 0 ? left : nil
    }

    /// Takes a query off the account of the worker it is with, or off the list of the unplaced.
    ///
    /// - Parameter place: of the query's record.
    mutating func leaveStage(at place: Int) {
        let number = queries[place: place].number
        switch queries[place: place].stage {
        case .unplaced:
            if !unplaced.remove(UnplacedQuery(queries[place: place])) { deferred.remove(number) }
        case .waiting(let worker):
            guard let slot = slots[worker] else { break }
            _ = workers[slot].dequeue(number)
            noteChange(of: slot)
        case .running(let worker):
            guard let slot = slots[worker] else { break }
            workers[slot].stop(number)
            noteChange(of: slot)
        }
        queries[place: place].stage = .unplaced
    }
}
