internal import RecordTables
internal import ServingModel

extension HoldAndDispatch {
    /// The query of a batch to give up first: of the lowest priority, of the best served tenant, one that would miss its
    /// objective anyway, the longest prompt.
    ///
    /// - Parameter misses: each query's own chance to miss its objective, in the batch's order.
    func victim(of batch: DispatchBatch, misses: [Double]) -> UnplacedQuery? {
        var victim: (query: UnplacedQuery, isLost: Bool)?
        for (query, miss) in zip(batch.queries, misses) where !query.hasStarted {
            let isLost = miss >= 0.5
            guard let worst = victim else {
                victim = (query, isLost)
                continue
            }
            if query.priority != worst.query.priority {
                if query.priority < worst.query.priority { victim = (query, isLost) }
            } else if let isServedMore = shares.isServedMore(query.tenant, than: worst.query.tenant) {
                if isServedMore { victim = (query, isLost) }
            } else if isLost != worst.isLost {
                if isLost { victim = (query, isLost) }
            } else if query.prefillTokens > worst.query.prefillTokens {
                victim = (query, isLost)
            }
        }
        return victim?.query
    }

    /// Gives up a query's TTFT objective.
    mutating func giveUp(_ victim: UnplacedQuery, _ demand: inout Demand, _ view: inout ClusterView) {
        demand.ownOrder?.removeAll { $0.number == victim.number }
        view.defer(victim.number)
        given += 1
    }

    /// Sends what is late anyway where it harms nobody.
    ///
    /// That is: to workers that are idle or at a step's end, have nothing waiting and are well ahead of the pace asked
    /// for. An idle worker takes one in any case: it has nothing better to do.
    ///
    /// Under lasting overload there may be no such worker. What has waited very long goes out all the same, a few at a
    /// time: nobody waits for ever.
    mutating func dispatchLate(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        guard !view.deferred.isEmpty else { return }
        for slot in view.idleOrStepless(inPool: demand.pool) where view.workers[slot].waiting.isEmpty {
            let late = view.deferred.prefix(64).filter { view.queries[$0.number]?.queued.model == demand.model }
            guard !late.isEmpty else { break }
            guard let (batch, choice) = lateBatch(from: late, on: view.workers[slot], demand.hazard) else { continue }
            let reason = "it was late and harms nobody there"
            send(batch, to: slot, because: reason, [(slot, choice)], &view, demand, &decision)
        }
        forceOverdue(&demand, &view, &decision)
        if !view.deferred.isEmpty { decision.lookAgain(at: demand.now + settings.lookAgain) }
    }

    /// The late queries that fit on a worker, fewer of them on an idle one for the sake of its pace; nil if they do harm.
    private func lateBatch(
        from late: [UnplacedQuery],
        on worker: WorkerView,
        _ hazard: Hazard
    ) -> (DispatchBatch, Hazard.Choice)? {
        var queries = fitting(late, on: worker)
        while let head = queries.first {
            var batch = DispatchBatch(of: head, on: worker.promptTiming)
            for query in queries.dropFirst() { batch.add(query, on: worker.promptTiming) }
            let choice = hazard.rise(of: batch, on: worker, isLate: true)
            let isHarmless =
                choice.hazard <= settings.patience * Double(queries.count)
                && choice.pace <= settings.latePace * head.tokenTime
            if isHarmless || (worker.isIdle && queries.count == 1) { return (batch, choice) }
            // Where others run, fewer of them would do: but room is for those who are not late yet.
            guard worker.isIdle else { return nil }
            queries.removeLast((queries.count + 1) / 2)
        }
        return nil
    }

    /// Those that a worker has places and memory for, as many as it prefills in one go.
    private func fitting(_ late: [UnplacedQuery], on worker: WorkerView) -> ArraySlice<UnplacedQuery> {
        let places = settings.batches ? worker.freePlaces : min(1, worker.freePlaces)
        var room = worker.roomForPrompts
        let timing = worker.promptTiming
        var batch: DispatchBatch?
        for query in late {
            if (batch?.queries.count ?? 0) == places { break }
            // A small one may fit where the first doesn't.
            guard query.contextTokens < room else { continue }
            if let batch {
                guard batch.seconds(with: query, on: timing) <= settings.batchShare * batch.head.firstTokenTime,
                    batch.tokens + query.prefillTokens <= worker.profile.limits.maximumBatchedTokens
                else { break }
            }
            room -= query.contextTokens + 1
            if batch == nil { batch = DispatchBatch(of: query, on: timing) } else { batch?.add(query, on: timing) }
        }
        return (batch?.queries ?? [])[...]
    }

    private mutating func forceOverdue(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        let interval = Interval.seconds(rounding: settings.forcedInterval / Double(view.pools[demand.pool].slots.count))
        guard demand.now >= lastForced + interval,
            let overdue = view.deferred.first(where: { view.queries[$0.number]?.queued.model == demand.model }),
            (demand.now - overdue.deadline).seconds > settings.longestWait * overdue.firstTokenTime,
            let slot = candidates(for: demand, in: view).first
        else { return }
        lastForced = demand.now
        let batch = DispatchBatch(of: overdue, on: view.workers[slot].promptTiming)
        let choice = demand.hazard.rise(of: batch, on: view.workers[slot], isLate: true)
        send(batch, to: slot, because: "it had waited too long", [(slot, choice)], &view, demand, &decision)
    }
}
