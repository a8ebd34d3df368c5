internal import Brokering
internal import ServingModel

/// Checks between events: of the machine's tables, of what a restart finds, and of how it all ends.
extension FaultyCluster {
    /// After everything that the broker does.
    mutating func checkBroker() {
        guard process.isUp, violation == nil else { return }
        broker.checkInvariants()
        if broker.liveQueries > brokerConfiguration.maximumQueries { fail(.credit, "more live queries than allowed") }
        learnNumbers()
    }

    /// A submission that became a query of its own has a number.
    private mutating func learnNumbers() {
        for id in ledger.order.suffix(32) where ledger[id]?.number == nil && ledger[id]?.boot == process.boot {
            guard let number = broker.query(id)?.number else { continue }
            ledger.change(id) { $0.number = number }
        }
    }

    mutating func checkRecovery(_ recovery: Recovery, wallClock: WallClock) {
        guard violation == nil else { return }
        checkPromises()
        if let fresh = disk.refolded(),
            fresh.unfinished != disk.image.unfinished || fresh.results != disk.image.results
        {
            fail(.exactRecovery, "the image is not the fold of the records")
        }
        for recovered in recovery.queries { check(recovered) }
        if broker.liveQueries > recovery.queries.count { fail(.exactRecovery, "queries came from nowhere") }
        checkIdempotence(of: recovery, wallClock)
    }

    /// What was told is on the disk, whatever was lost.
    private mutating func checkPromises() {
        for id in ledger.order {
            guard let query = ledger[id], query.durability != .volatile, !query.isAcknowledged else { continue }
            if query.isToldAccepted, !disk.image.contains(id) {
                fail(.toldIsKept, "query \(id.low) was accepted and did not survive the crash")
            }
            if let told = query.told, disk.image.find(.query(id))?.end.code != told.code {
                fail(.toldIsKept, "the end of query \(id.low) was told and did not survive the crash")
            }
        }
    }

    private mutating func check(_ recovered: RecoveredQuery) {
        let id = recovered.accepted.id
        guard let query = ledger[id] else {
            fail(.nothingUnaccepted, "query \(id.low) is recovered and was never submitted")
            return
        }
        let tokens = FaultToken.tokens(in: recovered.output?.text ?? []) ?? []
        let isOwn = tokens.enumerated().allSatisfy { index, token in
            FaultToken.index(of: token) == index && query.everTokens.contains(token)
        }
        if !isOwn { fail(.oneStream, "query \(id.low) is recovered with tokens that never counted") }
        guard let record = broker.query(id) else {
            fail(.exactRecovery, "query \(id.low) is on the disk and was not taken over")
            return
        }
        if record.output.count != tokens.count || record.submission.owner != recovered.accepted.owner {
            fail(.exactRecovery, "query \(id.low) is taken over with \(record.output.count) of \(tokens.count) tokens")
        }
        if !record.hasEnded, record.attempt <= recovered.attempt || record.failures != recovered.failures {
            fail(.exactRecovery, "query \(id.low) is taken over without its history")
        }
        coverage.note(
            record.hasEnded ? .recoveredDead : recovered.wasLeased ? .recoveredRunning : .recoveredQueued
        )
        if !tokens.isEmpty { coverage.note(.recoveredCheckpoint) }
        ledger.change(id) {
            $0.number = record.number
            $0.tokens = tokens
            $0.restarts += 1
        }
    }

    /// A broker that dies right after it started leaves what it found, but for the numbers of attempts and ends.
    private mutating func checkIdempotence(of recovery: Recovery, _ wallClock: WallClock) {
        var image = disk.image
        var first = recovery
        for round in 0..<2 {
            var scratch = Broker(
                configuration: brokerConfiguration,
                recovery: first,
                wallClock: wallClock,
                at: brokerNow
            )
            for case .write(let record) in scratch.takeActions(at: brokerNow) {
                if (try? image.apply(record)) == nil { fail(.exactRecovery, "recovery contradicts the journal") }
            }
            let next = image.open()
            let kept = first.queries.filter { image.unfinished[$0.accepted.number] != nil }
            let isSame = zip(kept, next.queries).allSatisfy { old, new in
                old.accepted == new.accepted && old.output == new.output && old.failures == new.failures
                    && new.restarts <= old.restarts + (round == 0 ? 1 : 0)
            }
            if kept.count != next.queries.count || !isSame {
                fail(.exactRecovery, "recovering twice is not recovering once")
            }
            first = next
        }
    }

    mutating func checkEnd() {
        guard violation == nil else { return }
        guard isFinished else {
            fail(.liveness, unfinishedBusiness())
            return
        }
        for id in ledger.order {
            guard let query = ledger[id], query.isToldAccepted, query.durability != .volatile else { continue }
            if disk.image.find(.query(id)) == nil, !query.isAcknowledged {
                fail(.oneEnd, "query \(id.low) was accepted and has no end on the disk")
            }
        }
        if let left = disk.image.unfinished.keys.min() {
            fail(.oneEnd, "query \(left.rawValue) of the journal has no end")
        }
    }

    private func unfinishedBusiness() -> String {
        let waiting = calls.indices.filter { !calls[$0].isOver }.prefix(5).map { index in
            "call of work \(calls[index].work) by client \(calls[index].client): \(calls[index].state), "
                + "query \(calls[index].id?.low ?? 0), \(calls[index].tokens.count) tokens"
        }
        let live = ledger.order.filter { broker.query($0)?.hasEnded == false }.prefix(5).map { id in
            "query \(id.low): \(broker.query(id).map { "\($0.state)" } ?? "")"
        }
        return "the broker is \(process.isUp ? "up" : "down") with \(broker.liveQueries) live queries "
            + "(\(live.joined(separator: "; "))); calls: \(waiting.joined(separator: "; ")); \(fleet())"
    }

    private func fleet() -> String {
        let states = workers.indices.map { worker in
            let session = peers[peer(ofWorker: worker)].session ?? 0
            let record = broker.worker(WorkerID(rawValue: session))
            return "\(workers[worker].joined.name) \(workers[worker].joined.profile.model) session \(session) "
                + "holds \(workers[worker].sequences.count), granted \(record?.granted ?? 0) of which "
                + "\(record?.sent ?? 0) sent, \(record?.queued ?? 0) queued"
        }
        let policy = process.scheduling.flatMap { process.sessions[$0]?.peer }.map { "\(peers[$0].role)" }
        return "workers: \(states.joined(separator: "; ")); scheduler: \(policy ?? "none") of \(plan.policies)"
    }
}
