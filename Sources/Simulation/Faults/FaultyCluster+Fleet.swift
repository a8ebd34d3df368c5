internal import Brokering
internal import ServingModel

/// The broker's end of workers' sessions, with the checks of what is dispatched and of what counts.
extension FaultyCluster {
    mutating func hearWorker(_ request: FaultRequest, over session: UInt64, from peer: Int) {
        guard case .worker(let worker) = peers[peer].role else { return }
        let id = WorkerID(rawValue: session)
        if case .register = request {
            guard process.sessions[session]?.isRegistered == false else { return }
            var joined = workers[worker].joined
            joined.worker = id
            process.sessions[session]?.isRegistered = true
            tell("\(joined.name) joins with session \(session)")
            broker.workerJoined(joined, at: brokerNow)
            return
        }
        guard process.sessions[session]?.isRegistered == true else { return }
        switch request {
        case .pull(let granted):
            let known = process.sessions[session]?.granted ?? 0
            process.sessions[session]?.granted = max(known, granted)
            broker.workerPulled(id, granted: sabotage == .overfed ? granted * 2 : granted)
        case .report(let step): take(step, from: id)
        case .drain:
            coverage.note(.workerDrained)
            process.sessions[session]?.isDraining = true
            broker.workerDrains(id, at: brokerNow)
        default: break
        }
    }

    mutating func workerSessionEnded(_ session: UInt64, wasDraining: Bool) {
        tell("worker of session \(session) is lost")
        broker.workerLost(WorkerID(rawValue: session), at: brokerNow)
        ledger.endLeases(ofSession: session, costAnAttempt: !wasDraining)
    }

    // MARK: Dispatches

    mutating func dispatch(_ assignments: [Assignment], to session: UInt64) {
        let id = WorkerID(rawValue: session)
        var assignments = assignments
        if sabotage == .strangerDispatched { assignments[0].id = QueryID(high: 2, low: 0) }
        for assignment in assignments { check(assignment, to: session) }
        process.sessions[session]?.sent += UInt64(assignments.count)
        if let state = process.sessions[session], state.sent > state.granted {
            fail(.credit, "worker \(id.rawValue) granted \(state.granted) queries and was sent \(state.sent)")
        }
        send(.batch(assignments), over: session)
        if sabotage == .leasedTwice { for assignment in assignments { check(assignment, to: session) } }
    }

    private mutating func check(_ assignment: Assignment, to session: UInt64) {
        let lease = assignment.lease
        tell("dispatch \(assignment.id.low) attempt \(assignment.attempt) lease \(lease.rawValue) to \(session)")
        guard let query = ledger[assignment.id] else {
            fail(.nothingUnaccepted, "a query is dispatched that nobody submitted")
            return
        }
        let name = "query \(query.id.low)"
        if FaultWork.number(of: assignment.request) != query.work { fail(.oneStream, "\(name) has another's request") }
        if lease <= ledger.latestLease { fail(.oneLease, "lease \(lease.rawValue) is not the greatest") }
        if query.lease != nil { fail(.oneLease, "\(name) has a lease already") }
        if let deadline = query.deadline, deadline <= now { fail(.nothingTooLate, "\(name) is past its deadline") }
        if query.isCancelled { fail(.nothingTooLate, "\(name) was cancelled") }
        if query.told != nil { fail(.oneEnd, "\(name) is dispatched after its end was told") }
        if query.durability != .volatile, assignment.attempt > 1 {
            let written = broker.query(query.id).flatMap { disk.image.unfinished[$0.number] }
            if written?.attempt != assignment.attempt {
                fail(.boundedAttempts, "\(name), attempt \(assignment.attempt), is dispatched before it is on the disk")
            }
        }
        let lost = min(query.lost, brokerConfiguration.maximumLosses)
        let limit = brokerConfiguration.maximumAttempts + query.restarts + query.forgiven + lost
        if query.dispatches >= limit { fail(.boundedAttempts, "\(name) is dispatched more than \(limit) times") }
        if broker.query(query.id)?.latest?.policy.isEmpty == true { coverage.note(.fallbackPlacement) }
        checkPrefix(assignment, of: query)
        ledger.lease(query.id, lease, to: session)
    }

    private mutating func checkPrefix(_ assignment: Assignment, of query: FaultLedger.Query) {
        let resumed = assignment.resumedTokens
        if resumed.isEmpty {
            if !query.tokens.isEmpty { coverage.note(.startedOver) }
            ledger.change(query.id) { $0.tokens = [] }
        } else if resumed == query.tokens {
            coverage.note(.resumedPrefix)
        } else {
            fail(.oneStream, "query \(query.id.low) goes on from other tokens than it has")
        }
    }

    // MARK: Reports

    private struct Claim {
        let query: QueryID
        let known: Int
        /// What may be added: what the holder of the present lease reports in order.
        var tokens: [Int32] = []
        var ends = false
        /// Whether the lease cost no attempt: the query moved on, or its KV cache did not arrive.
        var isForgiven = false
    }

    private mutating func take(_ step: WorkerStep, from worker: WorkerID) {
        var claims: [Claim] = []
        for report in step.reports {
            guard let id = ledger.byLease[report.lease], let query = ledger[id],
                query.leaseSession == worker.rawValue, broker.query(id)?.hasEnded == false
            else {
                coverage.note(.staleReport)
                continue
            }
            let index = claims.firstIndex { $0.query == id } ?? claims.count
            if index == claims.count { claims.append(Claim(query: id, known: query.tokens.count)) }
            guard !claims[index].ends else { continue }
            let tokens = FaultToken.tokens(in: report.text.utf8) ?? []
            let follows = report.firstIndex == claims[index].known + claims[index].tokens.count
            if report.tokens > 0, follows, report.failure == nil { claims[index].tokens += tokens }
            let isRefused = report.tokens > 0 && !follows
            let isHandedOver = report.handover != nil && report.failure == nil && !isRefused
            claims[index].ends = report.failure != nil || report.finish != nil || isRefused || isHandedOver
            claims[index].isForgiven = isHandedOver || report.failure?.reason == .handoverFailed
            if report.failure != nil { coverage.note(.engineFailed) }
        }
        let before = outputs()
        let passedOn = sabotage == .noFencing ? unfenced(step, before) : step
        broker.workerStepped(worker, passedOn, at: brokerNow)
        settle(claims, before)
    }

    /// Answers' lengths of all live queries.
    private func outputs() -> [(id: QueryID, count: Int)] {
        ledger.order.compactMap { id in
            guard let query = broker.query(id), !query.hasEnded else { return nil }
            return (id, query.output.count)
        }
    }

    private mutating func settle(_ claims: [Claim], _ before: [(id: QueryID, count: Int)]) {
        for (id, count) in before {
            let claim = claims.first { $0.query == id }
            let record = broker.query(id)
            // One that ended and was forgotten at once has nothing to compare.
            guard let record, record.output.count != count else { continue }
            guard record.output.count == count + (claim?.tokens.count ?? 0) else {
                fail(
                    .fencing,
                    "query \(id.low) grew by \(record.output.count - count) tokens that nobody had a lease for"
                )
                continue
            }
        }
        for claim in claims {
            guard let record = broker.query(claim.query) else { continue }
            if record.output.count == claim.known, !claim.tokens.isEmpty {
                fail(.oneStream, "query \(claim.query.low) did not take the tokens of its lease's holder")
            }
            ledger.change(claim.query) {
                $0.tokens += claim.tokens
                $0.everTokens.formUnion(claim.tokens)
            }
            if claim.isForgiven { ledger.change(claim.query) { $0.forgiven += 1 } }
            if claim.ends { ledger.endLease(of: claim.query) }
        }
    }

    /// The step as it would look if leases did not count: what is stale is passed on as if it were not.
    private func unfenced(_ step: WorkerStep, _ live: [(id: QueryID, count: Int)]) -> WorkerStep {
        var step = step
        for index in step.reports.indices where ledger.byLease[step.reports[index].lease] == nil {
            let text = step.reports[index].text
            guard let work = FaultToken.tokens(in: text.utf8)?.first.map({ FaultToken.work(of: $0) }) else { continue }
            for (lease, id) in ledger.leased.map({ ($0.lease, $0.id) }) where ledger[id]?.work == work {
                // Beside what the holder itself reports it would only be out of order.
                guard !step.reports.contains(where: { $0.lease == lease }) else { continue }
                step.reports[index].lease = lease
                step.reports[index].firstIndex = live.first { $0.id == id }?.count ?? 0
            }
        }
        return step
    }
}
