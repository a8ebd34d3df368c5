internal import Brokering
internal import ServingModel

/// The broker's process: what its shell does around the machine.
extension FaultyCluster {
    /// The broker's clock: another one in each process.
    var brokerNow: Instant { Instant(nanoseconds: (now - process.origin).nanoseconds) }

    mutating func wantRound() {
        guard process.isUp, !process.roundIsDue else { return }
        process.roundIsDue = true
        schedule(.round(boot: process.boot), after: generator.uniform() * 0.3)
    }

    mutating func wakeBroker(_ event: FaultEvent) {
        switch event {
        case .round:
            process.roundIsDue = false
            performRound()
        case .tick:
            guard now >= process.tickAt else { return }
            process.tickAt = .distantFuture
            performRound()
        case .brokerBeat: beatBroker()
        case .synced: syncEnded()
        case .found(_, let ticket, let result):
            broker.found(result, ticket: ticket, at: brokerNow)
            checkBroker()
            wantRound()
        default: break
        }
    }

    private mutating func performRound() {
        let next = broker.tick(at: brokerNow)
        checkBroker()
        serveBlocked()
        guard process.isUp else { return }
        let actions = broker.takeActions(at: brokerNow)
        checkBroker()
        let holdsBack = broker.workerOrder.contains { broker.worker($0)?.holdsBack == true }
        if holdsBack { coverage.note(.suspectHeldBack) }
        perform(actions)
        let at = process.origin + Interval(nanoseconds: next.nanoseconds)
        guard process.isUp, at < process.tickAt else { return }
        process.tickAt = max(at, now + .milliseconds(1))
        schedule(.tick(boot: process.boot), at: process.tickAt)
    }

    /// As the service does: first all records go to the journal, then everything else in order.
    ///
    /// The process may end after any of it.
    private mutating func perform(_ actions: [BrokerAction]) {
        for action in actions {
            switch action {
            case .write(let record): write(record)
            case .lookUp(let lookup, let ticket): lookUp(lookup, ticket)
            default: continue
            }
            if crashes() { return }
        }
        if sabotage == .acknowledgedBeforeSync { broker.journaled(through: broker.written, at: brokerNow) }
        beginSync()
        answerLookups()
        var events: [ClusterEvent] = []
        for action in actions {
            switch action {
            case .announce(let stream): announce(stream)
            case .dispatch(let worker, let assignments): dispatch(assignments, to: worker.rawValue)
            case .revoke(let worker, let leases):
                coverage.note(.revoked)
                send(.revoke(leases), over: worker.rawValue)
            case .tell(let event):
                events.append(event)
                continue
            case .refuse(let stream, let status): refuse(stream, status)
            case .answer(let stream): answer(stream)
            case .expel(let worker, _):
                coverage.note(.expelled)
                dismiss(worker.rawValue)
            case .write, .lookUp, .explain, .trace: continue
            }
            guard process.isUp, !crashes() else { return }
        }
        if !events.isEmpty, let scheduler = process.scheduling { send(.events(events), over: scheduler) }
    }

    private mutating func crashes() -> Bool {
        guard !isCalm, chance(plan.crashChance) else { return false }
        coverage.note(.brokerKilledAmidActions)
        killBroker()
        return true
    }

    // MARK: The journal

    private mutating func write(_ record: JournalRecord) {
        note(record)
        var written = [record]
        switch record {
        case .ended where sabotage == .endsWrittenTwice: written.append(record)
        case .retried where sabotage == .retriesUnwritten: written = []
        case .accepted where sabotage == .acceptancesUnwritten: written = []
        default: break
        }
        disk.append(written)
    }

    private mutating func note(_ record: JournalRecord) {
        tell("write \(Self.words(record))")
        guard case .acknowledged(let number) = record, let kept = acknowledged(number) else { return }
        ledger.change(kept) { $0.isAcknowledged = true }
    }

    private func acknowledged(_ number: QueryNumber) -> QueryID? {
        ledger.order.first { ledger[$0]?.number == number && ledger[$0]?.boot == process.boot }
            ?? disk.image.results[number]?.accepted.id ?? disk.image.unfinished[number]?.accepted.id
    }

    private mutating func lookUp(_ lookup: JournalLookup, _ ticket: UInt64) {
        if case .key = lookup { coverage.note(.keyLookedUp) } else { coverage.note(.attachLookedUp) }
        tell("look up \(lookup) ticket \(ticket)")
        disk.ask(lookup, ticket: ticket)
    }

    private mutating func beginSync() {
        guard disk.beginSync() else { return }
        var milliseconds = plan.syncMilliseconds * (0.3 + generator.exponential())
        if !isCalm, chance(plan.slowSyncChance) {
            coverage.note(.slowSync)
            milliseconds += Double(pick(50...600))
        }
        schedule(.synced(boot: process.boot), after: milliseconds)
    }

    /// A failed sync is not tried again: what the disk has then is anybody's guess, so the broker stops.
    private mutating func syncEnded() {
        if !isCalm, chance(plan.failedSyncChance) {
            coverage.note(.failedSync)
            tell("sync failed")
            killBroker()
            return
        }
        if let contradiction = disk.endSync() { fail(contradiction) }
        let durable = disk.durableOfBroker
        tell("synced through \(durable)")
        if durable > broker.durable { broker.journaled(through: durable, at: brokerNow) }
        checkBroker()
        beginSync()
        answerLookups()
        wantRound()
    }

    private mutating func answerLookups() {
        for answer in disk.takeAnswers() {
            schedule(
                .found(boot: process.boot, ticket: answer.ticket, answer.result),
                after: generator.uniform() * 3
            )
        }
    }

    private mutating func fail(_ contradiction: JournalImage.Contradiction) {
        let invariant: FaultInvariant =
            switch contradiction.kind {
            case .unknownQuery, .acceptedTwice: .nothingUnaccepted
            case .afterTheEnd: .oneEnd
            case .keyInUse: .sameKeySameQuery
            case .outOfOrder: .oneLease
            }
        fail(invariant, "the journal contradicts itself: \(contradiction)")
    }

    // MARK: Ends and beginnings

    mutating func killBroker() {
        guard process.isUp else { return }
        tell("the broker is killed")
        process.isUp = false
        if disk.synced < disk.records.count { coverage.note(.unsyncedLost) }
        if let contradiction = disk.crash(using: &generator) { fail(contradiction) }
        process.sessions = [:]
        process.order = []
        process.blocked = []
        process.scheduling = nil
        process.standbys = []
        for peer in peers.indices { disconnect(peer, for: generator.uniform() * 60) }
        ledger.brokerEnded { disk.image.results[$0] != nil }
        schedule(.startBroker, after: plan.downtime.milliseconds * (0.2 + generator.exponential()))
    }

    mutating func startBroker() {
        guard !process.isUp else { return }
        process.boot += 1
        process.isUp = true
        process.pausedUntil = now
        process.nextSession = 1
        process.roundIsDue = false
        process.tickAt = .distantFuture
        process.origin = Instant(nanoseconds: now.nanoseconds - Int64(pick(1_000_000)) * 1_000_000)
        let recovery = disk.open()
        let wallClock = WallClock(
            unixMilliseconds: 1_700_000_000_000 + now.nanoseconds / 1_000_000,
            at: brokerNow
        )
        let boot = process.boot
        tell("broker \(boot) starts: epoch \(recovery.epoch), \(recovery.queries.count) unfinished")
        broker = Broker(
            configuration: brokerConfiguration,
            recovery: sabotaged(recovery),
            wallClock: wallClock,
            at: brokerNow
        )
        checkRecovery(recovery, wallClock: wallClock)
        checkBroker()
        schedule(.brokerBeat(boot: process.boot), after: 0)
        wantRound()
    }

    private func sabotaged(_ recovery: Recovery) -> Recovery {
        var recovery = recovery
        switch sabotage {
        case .epochRepeated: recovery.epoch = 1
        case .keysForgotten: recovery.keys = []
        case .queryOverlooked where !recovery.queries.isEmpty: recovery.queries.removeLast()
        default: break
        }
        return recovery
    }

    private static func words(_ record: JournalRecord) -> String {
        let number = record.query.rawValue
        return switch record {
        case .accepted(let query): "accepted \(number) as \(query.id.low)"
        case .leased(_, let attempt, let lease): "leased \(number) attempt \(attempt) lease \(lease.rawValue)"
        case .retried(_, let attempt, let failure): "retried \(number) attempt \(attempt) after \(failure.reason)"
        case .resumed(_, let attempt, let restarts): "resumed \(number) attempt \(attempt) restarts \(restarts)"
        case .checkpoint(_, let part): "checkpoint \(number) \(part.firstIndex)+\(part.count)"
        case .reset: "reset \(number)"
        case .ended(_, let end): "ended \(number) \(end.code) \(end.reason) with \(end.output.count)"
        case .acknowledged: "acknowledged \(number)"
        }
    }
}
