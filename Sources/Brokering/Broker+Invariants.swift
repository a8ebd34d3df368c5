internal import DequeModule
internal import HeapModule
internal import RecordTables
internal import ServingModel

extension Broker {
    /// Traps if the machine's tables disagree.
    ///
    /// Complexity: linear in everything; for tests and simulations.
    package func checkInvariants() {
        checkQueries()
        checkWorkers()
        checkReaders()
    }

    /// Queries between two attempts.
    ///
    /// Complexity: linear in the queries; for tests and simulations.
    package var restingQueries: Int {
        queries.values.count { if case .pausing = $0.state { true } else { false } }
    }

    private func checkQueries() {
        var live = 0
        var leases = 0
        for (number, record) in queries {
            precondition(record.number == number && numbersByID[record.id] == number, "query tables agree")
            precondition(record.output.count <= record.submission.maxTokens, "no query exceeds its max_tokens")
            let counted = record.failures.filter(\.counts).count
            precondition(counted <= configuration.maximumAttempts, "no query exceeds its attempts")
            let blameless = record.failures.count(where: \.isBlameless)
            precondition(blameless <= configuration.maximumLosses, "no query exceeds its losses")
            precondition(isJournaled || record.durability == .volatile, "nothing is durable without a journal")
            precondition(record.checkpointed.tokens <= record.output.count, "checkpoints are of what there is")
            let isInOrder = zip(record.attempts, record.attempts.dropFirst()).allSatisfy { earlier, later in
                earlier.number < later.number || earlier.number == later.number && earlier.phase == .prefill
            }
            precondition(isInOrder, "attempts are told in order")
            precondition((record.latest?.number ?? 0) <= record.attempt, "no attempt is told before it is made")
            precondition(
                record.hasEnded || models.place(of: record.model) == record.home,
                "a query knows its model's place"
            )
            precondition(record.handover == nil || !record.hasEnded, "no KV cache is kept for a query that has ended")
            switch record.state {
            case .queued:
                precondition(record.isListed && unplaced.contains(number), "a queued query can be found")
            case .placed(let worker):
                precondition(workers[worker]?.queue.contains(number) == true, "a placed query is in its worker's queue")
            case .leased(let worker, let lease):
                leases += 1
                precondition(queriesByLease[lease] == number, "a current lease leads to its query")
                precondition(workers[worker]?.leases.contains(lease) == true, "a worker knows its leases")
                precondition(record.attemptRecord <= durable, "a repetition is written down before it is dispatched")
            case .pausing(let until):
                let isDue = record.attemptRecord > durable || deadlines.unordered.contains { $0.query == number }
                precondition(isDue, "a query that rests until \(until) is woken")
            case .ended:
                live -= 1
            }
            live += 1
        }
        precondition(live == liveQueries, "live queries are counted")
        let bytes = queries.values.reduce(0) { $0 + ($1.hasEnded ? 0 : $1.submission.request.count) }
        precondition(bytes == liveBytes, "bytes of live queries are counted")
        let spooled = queries.values.reduce(0) { $0 + ($1.hasEnded ? 0 : $1.output.storedBytes) }
        precondition(spooled == spooledBytes, "bytes of live answers are counted")
        for name in modelOrder {
            guard let admission = models[name]?.admission else { continue }
            let live = queries.values.count { $0.model == name && !$0.hasEnded }
            precondition(admission.underWay == live, "admission control knows what is under way")
            admission.checkInvariants()
        }
        let kept = queries.values.reduce(0) { $0 + ($1.hasEnded && !$1.isOverdue ? $1.output.byteCount : 0) }
        precondition(kept == retainedBytes, "bytes of kept results are counted")
        precondition(leases == queriesByLease.count, "there is one lease for each running query")
        let areInOrder = zip(explained, explained.dropFirst()).allSatisfy { $0.placement < $1.placement }
        precondition(areInOrder, "explanations are found by their placements")
        precondition(explained.count <= configuration.maximumExplanations, "explanations are bounded")
    }

    private func checkWorkers() {
        precondition(workers.count == workerOrder.count, "worker tables agree")
        for (id, worker) in workers {
            precondition(worker.sent <= worker.granted, "no worker is sent more than it asked for")
            let placed = worker.queue.filter { queries[$0]?.state == .placed(id) }
            precondition(Set(placed).count == worker.queued, "placed queries are counted")
            precondition(worker.leases == worker.leases.sorted(), "leases increase")
        }
        for name in modelOrder {
            let serving = workers.values.filter { !$0.isDraining && $0.joined.profile.model == name }.count
            precondition(models[name]?.workers == serving, "serving workers are counted")
            let records = queries.values.filter { $0.model == name }
            let running = records.filter { if case .leased = $0.state { true } else { false } }.count
            precondition(models[name]?.running == running, "running queries are counted")
            let live = records.filter { !$0.hasEnded }.count
            precondition(models[name]?.queued == live - running, "queued queries are counted")
        }
    }

    private func checkReaders() {
        precondition(durable <= written, "nothing is durable that was not written")
        for (stream, reader) in readers {
            let acceptance = queries[reader.query]?.acceptRecord ?? 0
            precondition(!reader.wasToldAccepted || acceptance <= durable, "nobody is told what is not durable")
            precondition(queries[reader.query]?.readers.contains(stream) == true, "a query knows its readers")
            precondition(
                reader.isAnnounced || queries[reader.query]?.isAnnounced == false,
                "a reader that is not announced is told of news"
            )
            precondition(queries.place(of: reader.query) == reader.place, "what is read stays where it is")
            precondition(
                streamsBySession[stream.session]?.contains(OpenStream(stream)) == true,
                "a session knows its streams"
            )
            precondition(reader.cursor <= queries[reader.query]?.submission.maxTokens ?? 0, "no cursor runs ahead")
        }
    }
}
