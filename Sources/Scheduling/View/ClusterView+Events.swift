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
            guard let slot = slots[worker], let query = queries[number], query.worker != worker else { return }
            leaveStage(number)
            assign(number, to: slot, at: now)
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
        let firstToken = prefilled ?? queries[query.number]?.firstToken
        leaveStage(query.number)
        let input =
            query.inputTokens ?? promptLengths.tokens(inBytes: query.promptBytes, model: query.model)
        var view = QueryView(
            queued: query,
            arrival: Instant(nanoseconds: now.nanoseconds - query.age.nanoseconds),
            prefillTokens: prefilled == nil ? input + query.outputTokens : 0,
            outputTokens: query.outputTokens
        )
        view.arrivesPrefilled = prefilled != nil
        view.firstToken = firstToken
        if queries.updateValue(view, forKey: query.number) == nil {
            queriesByModel[query.model, default: 0] += 1
        }
        unplaced.insert(UnplacedQuery(view))
    }

    /// Changes what is known of a query that waits to be placed.
    mutating func replace(_ query: QueryView) {
        guard let known = queries[query.number], known.arrivesPrefilled != query.arrivesPrefilled else { return }
        leaveStage(query.number)
        queries[query.number] = query
        unplaced.insert(UnplacedQuery(query))
    }

    mutating func assign(_ number: QueryNumber, to slot: Int, at now: Instant) {
        guard let query = queries[number] else { return }
        guard !query.arrivesPrefilled else { return assignPrefilled(query, to: slot, at: now) }
        queries[number]?.stage = .waiting(workers[slot].id)
        let cached = cachedTokens(of: query, onSlot: slot)
        notePrefix(of: query, onSlot: slot)
        workers[slot].enqueue(
            WorkerView.Waiting(
                number: number,
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
    private mutating func assignPrefilled(_ query: QueryView, to slot: Int, at now: Instant) {
        queries[query.number]?.stage = .running(workers[slot].id)
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
        guard let query = queries[ended.query] else { return }
        leaveStage(ended.query)
        queries[ended.query] = nil
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
        let left = queriesByModel[model, default: 1] - 1
        queriesByModel[model] = left > 0 ? left : nil
    }

    /// Takes a query off the account of the worker it is with, or off the list of the unplaced.
    mutating func leaveStage(_ number: QueryNumber) {
        guard let query = queries[number] else { return }
        switch query.stage {
        case .unplaced:
            if !unplaced.remove(UnplacedQuery(query)) { deferred.remove(number) }
        case .waiting(let worker):
            guard let slot = slots[worker] else { break }
            _ = workers[slot].dequeue(number)
            noteChange(of: slot)
        case .running(let worker):
            guard let slot = slots[worker] else { break }
            workers[slot].stop(number)
            noteChange(of: slot)
        }
        queries[number]?.stage = .unplaced
    }
}
