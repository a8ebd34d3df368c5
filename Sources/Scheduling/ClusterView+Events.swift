package import ServingModel

extension ClusterView {
    /// Brings the view up to date with an event.
    ///
    /// Events that make no sense (a query never heard of) are ignored: the view is soft state, and a snapshot mends it.
    package mutating func apply(_ event: ClusterEvent, at now: Instant) {
        switch event {
        case .workerJoined(let joined):
            guard workers[joined.worker] == nil else { return }
            workers[joined.worker] = WorkerView(joined: joined)
            workerOrder.append(joined.worker)
            workerOrder.sort()
        case .workerLeft(let worker, let isDraining):
            workers[worker]?.isDraining = true
            if !isDraining { forget(worker) }
        case .queryQueued(let query):
            queue(query, at: now)
        case .queryDispatched(let number, let worker, _):
            // Usually known: the worker pulled what was placed there. After a snapshot or a fallback it is news.
            guard queries[number]?.worker != worker, workers[worker] != nil else { return }
            leaveStage(number)
            assign(number, to: worker)
        case .stepCompleted(let step):
            complete(step, at: now)
        case .queryEnded(let ended):
            end(ended)
        case .snapshotComplete:
            break
        }
    }

    /// Notes a decision, so that the next one sees it; one for a worker that is not there is void.
    package mutating func place(_ number: QueryNumber, on worker: WorkerID) {
        guard workers[worker] != nil else { return }
        leaveStage(number)
        assign(number, to: worker)
    }

    private mutating func queue(_ query: QueuedQuery, at now: Instant) {
        leaveStage(query.number)
        let input =
            query.inputTokens ?? promptLengths.tokens(inBytes: query.promptBytes, model: query.model)
        queries[query.number] = QueryView(
            queued: query,
            arrival: Instant(nanoseconds: now.nanoseconds - query.age.nanoseconds),
            prefillTokens: input + query.outputTokens,
            outputTokens: query.outputTokens
        )
        unplaced.append(query.number)
    }

    private mutating func assign(_ number: QueryNumber, to worker: WorkerID) {
        guard let query = queries[number], workers[worker] != nil else { return }
        queries[number]?.stage = .waiting(worker)
        workers[worker]?.waitingQueries += 1
        workers[worker]?.waitingTokens += query.prefillTokens
    }

    private mutating func complete(_ step: StepCompleted, at now: Instant) {
        guard workers[step.worker] != nil else { return }
        workers[step.worker]?.estimator.observe(step.workload, took: step.duration)
        workers[step.worker]?.lastStepEnd = now
        for advance in step.advanced {
            guard let query = queries[advance.query], query.worker == step.worker else { continue }
            if case .waiting = query.stage {
                leaveStage(advance.query)
                queries[advance.query]?.stage = .running(step.worker)
                queries[advance.query]?.firstToken = query.firstToken ?? now
                workers[step.worker]?.runningQueries += 1
                workers[step.worker]?.contextTokens += query.contextTokens
            }
            queries[advance.query]?.outputTokens += advance.tokens
            workers[step.worker]?.contextTokens += advance.tokens
        }
    }

    private mutating func end(_ ended: QueryEnded) {
        guard let query = queries[ended.query] else { return }
        leaveStage(ended.query)
        queries[ended.query] = nil
        if query.queued.inputTokens == nil, ended.inputTokens > 0 {
            promptLengths.observe(
                tokens: ended.inputTokens,
                bytes: query.queued.promptBytes,
                model: query.queued.model
            )
        }
    }

    /// Takes a query off the account of the worker it is with, or off the list of the unplaced.
    private mutating func leaveStage(_ number: QueryNumber) {
        guard let query = queries[number] else { return }
        switch query.stage {
        case .unplaced:
            unplaced.removeAll { $0 == number }
        case .waiting(let worker):
            workers[worker]?.waitingQueries -= 1
            workers[worker]?.waitingTokens -= query.prefillTokens
        case .running(let worker):
            workers[worker]?.runningQueries -= 1
            workers[worker]?.contextTokens -= query.contextTokens
        }
        queries[number]?.stage = .unplaced
    }

    private mutating func forget(_ worker: WorkerID) {
        workers[worker] = nil
        workerOrder.removeAll { $0 == worker }
    }
}
