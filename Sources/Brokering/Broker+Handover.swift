internal import RecordTables
internal import ServingModel

/// Queries whose KV cache moves from a prefill worker to another: split-phase serving.
///
/// Both halves are one attempt, under two leases. In between the query is queued, and told to the scheduler, as one that
/// needs no prefill where its cache lies. Whatever goes wrong with the cache, the attempt fails like any other and the
/// query is computed as a whole: `mayMove`.
extension Broker {
    /// What a worker that is about to get a query is to do about KV caches.
    ///
    /// A cache is passed on only to a worker that can take it; any other computes the query from its prompt.
    ///
    /// - Parameters:
    ///   - place: of the query's record.
    ///   - home: of the worker's.
    mutating func handover(of place: Int, to home: Int) -> (handsOver: Bool, kvCache: String) {
        let joined = workers[place: home].joined
        if let handover = queries[place: place].handover {
            if handover.exchange == joined.kvExchange, joined.resumesPrefix, queries[place: place].output.count > 0 {
                queries[place: place].handover?.isTaken = true
                return (false, handover.kvCache)
            }
            dropCache(at: place)
            queries[place: place].latest?.phase = .whole
        }
        guard joined.role == .prefill, queries[place: place].mayMove,
            queries[place: place].submission.maxTokens > queries[place: place].output.count + 1, isAwaited(from: joined)
        else { return (false, "") }
        queries[place: place].latest?.phase = .prefill
        return (true, "")
    }

    /// Whether some worker of a model is for one phase only.
    func isSplit(_ model: String) -> Bool {
        workerOrder.contains { id in
            guard let joined = workers[id]?.joined else { return false }
            return joined.role != .both && joined.profile.model == model
        }
    }

    /// Whether some other worker is there to take what this one leaves.
    ///
    /// One that goes on with nobody's answer may know no tokens, and an answer without their identifiers would start over.
    private func isAwaited(from joined: WorkerJoined) -> Bool {
        guard !joined.kvExchange.isEmpty, joined.resumesPrefix else { return false }
        return workerOrder.contains { id in
            guard id != joined.worker, let worker = workers[id], !worker.isDraining else { return false }
            let other = worker.joined
            return other.profile.model == joined.profile.model && other.isMeant(forCacheIn: joined.kvExchange)
        }
    }

    /// What is wrong with a report that a KV cache was left; nil if nothing is.
    func objection(to cache: LeaseReport.LeftCache, of record: QueryRecord) -> Status? {
        guard record.latest?.phase == .prefill, record.attemptHasToken else {
            return Status(.internalError, .engineFailed, "its worker left a KV cache that nobody had asked for")
        }
        guard !cache.kvCache.isEmpty, cache.inputTokens > 0 else {
            return Status(.internalError, .engineFailed, "its worker left a KV cache without a name or a prompt")
        }
        return nil
    }

    /// A prefill worker has left a query's KV cache: the query is to be placed again, for its decodes.
    mutating func handOver(_ number: QueryNumber, _ cache: LeaseReport.LeftCache, by id: WorkerID, at now: Instant) {
        guard let place = queries.place(of: number), case .leased(id, let lease) = queries[place: place].state,
            let exchange = workers[id]?.joined.kvExchange
        else { return }
        let home = queries[place: place].home
        models[place: home].running -= 1
        models[place: home].queued += 1
        models[place: home].figures.noteHandover(bytes: cache.bytes)
        queriesByLease[lease] = nil
        workers[id]?.remove(lease)
        queries[place: place].inputTokens = min(cache.inputTokens, TokenBounds.mostOfPrompt)
        queries[place: place].movedAttempt = queries[place: place].attempt
        queries[place: place].latest?.handedOver = now
        queries[place: place].handover = QueryRecord.Handover(
            kvCache: cache.kvCache,
            exchange: exchange,
            worker: id,
            lease: lease
        )
        enqueue(number, at: now)
        startPatience(of: number, at: now)
    }

    /// Nobody will go on with a query's KV cache; who left it is told so, unless it was taken.
    ///
    /// - Parameter place: of the query's record.
    mutating func dropCache(at place: Int) {
        guard let handover = queries[place: place].handover else { return }
        queries[place: place].handover = nil
        if !handover.isTaken, workers[handover.worker] != nil {
            actions.append(.revoke(handover.worker, [handover.lease]))
        }
    }
}
