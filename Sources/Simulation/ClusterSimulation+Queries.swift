internal import Brokering
internal import HeapModule
internal import Scheduling
internal import ServingModel

extension ClusterSimulation {
    static func successors(in queries: [SimulatedQuery]) -> [Int: Int] {
        var successors: [Int: Int] = [:]
        for (index, query) in queries.enumerated() {
            guard let predecessor = query.predecessor else { continue }
            let isThere = queries.indices.contains(predecessor.query) && predecessor.query != index
            precondition(isThere, "query \(index) follows a query that there is not")
            let isFirst = successors.updateValue(index, forKey: predecessor.query) == nil
            precondition(isFirst, "two queries follow query \(predecessor.query)")
        }
        return successors
    }

    mutating func deliver() {
        while let delivery = deliveries.min, delivery.time == now {
            deliveries.removeMin()
            workers[delivery.worker].underway -= 1
            enqueue(delivery.query, on: delivery.worker)
        }
        for index in prefillPool?.completeTransfers(at: now) ?? [] {
            queries[index].isPrefilled = true
            let firstToken = queries[index].record.firstToken ?? now
            scheduler.queuePrefilled(queued(index), firstToken: firstToken, at: now)
        }
    }

    mutating func hearArrivals() {
        while let index = nextArrival() {
            queries[index].query.arrival = now
            queries[index].record.arrival = now
            if scaler != nil { scaler?.meter.noteArrival(of: queries[index].query, lengths: scheduler.view.lengths) }
            if isAdmitted(index) { begin(index) }
        }
    }

    /// Asks admission control, if there is one; what it refuses ends here.
    private mutating func isAdmitted(_ index: Int) -> Bool {
        guard admission != nil else { return true }
        let query = queries[index].query
        let candidate = AdmissionCandidate(
            inputTokens: query.inputTokens,
            objective: query.objective,
            priority: query.priority,
            tenant: query.tenant
        )
        if case .refuse(let refusal)? = admission?.verdict(for: candidate, at: now) {
            queries[index].record.refusal = refusal
            end(index, .resourceExhausted)
            return false
        }
        admission?.queryQueued(QueryNumber(index: index), candidate, at: now)
        return true
    }

    /// Of what arrives now, the first of the trace.
    private mutating func nextArrival() -> Int? {
        let open = arrived < openArrivals.count ? openArrivals[arrived] : nil
        let isOpen = open.map { queries[$0].query.arrival == now } ?? false
        if let release = releases.min, release.time == now, !isOpen || release.query < open ?? .max {
            releases.removeMin()
            return release.query
        }
        guard isOpen else { return nil }
        arrived += 1
        return open
    }

    /// Begins an attempt: the scheduler hears of the query or, in split-phase serving, its prompt is computed first.
    private mutating func begin(_ index: Int) {
        queries[index].record.attempts += 1
        guard let prefillPool else {
            let event = ClusterEvent.queryQueued(queued(index))
            let start = configuration.stopwatch?() ?? 0
            scheduler.apply(event, at: now)
            if let stopwatch = configuration.stopwatch {
                schedulingTime += stopwatch() - start
                timedCalls += 1
            }
            return
        }
        guard prefillPool.canTake(tokens: queries[index].contextTokens) else { return end(index, .outOfRange) }
        self.prefillPool?.enqueue(index, queries, at: now)
    }

    /// Tries a query anew whose worker failed, as the broker does.
    mutating func retry(_ index: Int) {
        queries[index].record.worker = nil
        queries[index].record.dispatched = nil
        queries[index].isPrefilled = false
        guard queries[index].record.attempts < configuration.maximumAttempts else { return end(index, .unavailable) }
        admission?.queryRequeued(QueryNumber(index: index), at: now)
        begin(index)
    }

    private func queued(_ index: Int) -> QueuedQuery {
        let progress = queries[index]
        let query = progress.query
        return QueuedQuery(
            number: QueryNumber(index: index),
            id: QueryID(high: 0, low: UInt64(index)),
            model: model,
            attempt: progress.record.attempts,
            age: now - query.arrival,
            inputTokens: query.inputTokens,
            promptBytes: 0,
            // As long as it may get: the true length is for the oracle only.
            maxTokens: configuration.tellsLengths
                ? query.outputTokens : max(query.outputTokens, contextLength - query.inputTokens),
            outputTokensHint: configuration.tellsLengths ? query.outputTokens : nil,
            outputTokens: progress.generatedTokens,
            objective: query.objective,
            priority: query.priority,
            tenant: query.tenant,
            remaining: nil,
            blocks: query.blocks.hashes,
            blockShare: Double(query.blocks.blockTokens) / Double(query.inputTokens)
        )
    }

    mutating func decide() {
        let start = configuration.stopwatch?() ?? 0
        let decision = scheduler.decide(at: now)
        if let stopwatch = configuration.stopwatch {
            let time = stopwatch() - start
            schedulingTime += time
            timedCalls += 1
            if !decision.placements.isEmpty { decisionTimes.append(time / UInt64(decision.placements.count)) }
        }
        lookAgain = decision.lookAgain
        for placement in decision.placements {
            dispatch(Int(placement.query.rawValue), to: Int(placement.worker.rawValue))
        }
    }

    private mutating func dispatch(_ query: Int, to worker: Int) {
        precondition(queries[query].record.worker == nil, "query \(query) was placed before")
        guard workers[worker].canTake(queries[query]) else { return end(query, .outOfRange) }
        queries[query].record.worker = worker
        queries[query].record.dispatched = now
        guard configuration.dispatchDelay > .zero else { return enqueue(query, on: worker) }
        let time = now + configuration.dispatchDelay
        deliveries.insert(Delivery(time: time, dispatch: dispatches, query: query, worker: worker))
        workers[worker].underway += 1
        dispatches += 1
    }

    private mutating func enqueue(_ query: Int, on worker: Int) {
        workers[worker].enqueue(query, queries[query])
        // Should the worker fail, or take its memory back, its KV cache is not there a second time.
        queries[query].isPrefilled = false
        touched.append(worker)
    }
}
