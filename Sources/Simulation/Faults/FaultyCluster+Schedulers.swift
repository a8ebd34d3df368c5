internal import Brokering
internal import Scheduling
internal import ServingModel

/// Schedulers at both ends: the newest is heard unless it stands by, and one that stands by takes over.
extension FaultyCluster {
    // MARK: The broker's end

    mutating func hearScheduler(_ request: FaultRequest, over session: UInt64) {
        let before = leases()
        switch request {
        case .schedule(let standsBy): attach(session, standsBy: standsBy)
        case .placements(let placements):
            guard process.scheduling == session else { return }
            for placement in placements {
                if isLate(placement) { coverage.note(.latePlan) }
                let state = broker.query(placement.query)?.state
                tell(
                    "placement of \(placement.query.rawValue) on \(placement.worker.rawValue), it is \(String(describing: state))"
                )
                broker.place(placement, at: brokerNow)
                if sabotage == .latePlansInterrupt { interrupt(placement) }
            }
        default: break
        }
        checkUnmoved(before)
    }

    private mutating func attach(_ session: UInt64, standsBy: Bool) {
        guard process.scheduling != session, !process.standbys.contains(session) else { return }
        if standsBy, process.scheduling != nil {
            process.standbys.append(session)
            return
        }
        if let old = process.scheduling { send(.superseded, over: old) }
        lead(session)
    }

    private mutating func lead(_ session: UInt64) {
        process.scheduling = session
        tell("scheduler of session \(session) leads")
        guard let peer = process.sessions[session]?.peer, case .scheduler(let number) = peers[peer].role else { return }
        broker.schedulerAttached(policy: schedulers[number].policy, at: brokerNow)
    }

    mutating func schedulerSessionEnded(_ session: UInt64) {
        process.standbys.removeAll { $0 == session }
        guard process.scheduling == session else { return }
        let before = leases()
        process.scheduling = nil
        tell("scheduler of session \(session) is gone")
        broker.schedulerDetached(at: brokerNow)
        if !process.standbys.isEmpty {
            coverage.note(.standbyTookOver)
            lead(process.standbys.removeFirst())
        }
        checkUnmoved(before)
    }

    private func isLate(_ placement: Placement) -> Bool {
        guard let query = broker.query(placement.query) else { return true }
        return query.attempt != placement.attempt || query.state != .queued
    }

    private mutating func interrupt(_ placement: Placement) {
        guard let query = broker.query(placement.query), case .leased(let worker, let lease) = query.state else {
            return
        }
        var report = LeaseReport(lease: lease)
        report.failure = Status(.internalError)
        broker.workerStepped(
            worker,
            WorkerStep(workload: nil, duration: .zero, reports: [report], waiting: 0, freeKVTokens: 0),
            at: brokerNow
        )
    }

    private func leases() -> [(QueryID, Brokering.QueryRecord.State)] {
        ledger.leased.compactMap { leased in
            guard let state = broker.query(leased.id)?.state, case .leased(_, leased.lease) = state else { return nil }
            return (leased.id, state)
        }
    }

    private mutating func checkUnmoved(_ before: [(QueryID, Brokering.QueryRecord.State)]) {
        for (id, state) in before where broker.query(id)?.state != state {
            fail(.plansMoveNothingLeased, "a scheduler's message ended the lease of query \(id.low), \(state)")
        }
    }

    // MARK: Their own end

    mutating func schedulerOpened(_ scheduler: Int) {
        schedulers[scheduler].scheduler.reset()
        send(.schedule(standsBy: schedulers[scheduler].standsBy), from: peer(ofScheduler: scheduler))
        schedulers[scheduler].standsBy = true
    }

    mutating func schedulerLost(_ scheduler: Int) {
        schedulers[scheduler].scheduler.reset()
    }

    mutating func restart(_ scheduler: Int) {
        let old = schedulers[scheduler]
        schedulers[scheduler] = FaultScheduler(policy: old.policy, seed: old.seed &+ 1, standsBy: chance(0.5))
    }

    mutating func tellScheduler(_ scheduler: Int, _ reply: FaultReply) {
        switch reply {
        case .events(let events):
            schedulers[scheduler].scheduler.apply(events, at: now)
            decide(scheduler)
        case .superseded: schedulerOpened(scheduler)
        default: break
        }
    }

    mutating func decide(_ scheduler: Int) {
        let decision = schedulers[scheduler].scheduler.decide(at: now)
        tell("scheduler \(scheduler) places \(decision.placements.map { [$0.query.rawValue, $0.worker.rawValue] })")
        if !decision.placements.isEmpty {
            send(.placements(decision.placements), from: peer(ofScheduler: scheduler))
        }
        let look = decision.lookAgain ?? .distantFuture
        guard look < .distantFuture, look != schedulers[scheduler].lookAgain || look <= now else { return }
        schedulers[scheduler].lookAgain = look
        let incarnation = peers[peer(ofScheduler: scheduler)].incarnation
        schedule(.decide(scheduler: scheduler, incarnation: incarnation), at: max(look, now + .milliseconds(1)))
    }
}
