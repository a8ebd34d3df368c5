internal import Brokering
internal import ServingModel

/// The broker's end of clients' sessions, with the checks of what they are told.
extension FaultyCluster {
    /// Messages that one connection holds; a client that has not taken them gets no more.
    static let spool = 6

    mutating func hear(_ request: FaultRequest, over session: UInt64, from peer: Int) {
        switch request {
        case .submit(let stream, let call): submit(call, StreamKey(session, stream))
        case .attach(let stream, let attachment): attach(attachment, StreamKey(session, stream), from: peer)
        case .cancel(let stream): cancel(StreamKey(session, stream))
        case .acknowledge(let stream, let id): acknowledge(id, StreamKey(session, stream), from: peer)
        case .register, .pull, .report, .drain: hearWorker(request, over: session, from: peer)
        case .schedule, .placements: hearScheduler(request, over: session)
        case .hello, .heartbeat, .goodbye: break
        }
    }

    private mutating func submit(_ index: Int, _ stream: StreamKey) {
        let call = calls[index]
        let work = works[call.work]
        var submission = work.submission(isVariant: call.isVariant)
        if sabotage == .deadlinesIgnored { submission.timeout = nil }
        ledger.submissions.insert(stream)
        let id = QueryID(high: 1, low: nextID)
        nextID += 1
        ledger.add(
            FaultLedger.Query(
                id: id,
                work: work.number,
                durability: work.durability,
                deadline: work.timeout.map { now + $0 },
                boot: process.boot
            )
        )
        if let key = work.key, waitsForJournal(key) { coverage.note(.duplicateDuringLookup) }
        do throws(Status) {
            try broker.submit(submission, id: id, from: stream, at: brokerNow)
        } catch {
            tell("submission of work \(work.number) refused: \(error)")
            send(.end(stream: stream.stream, error), over: stream.session.rawValue)
        }
    }

    private func waitsForJournal(_ key: String) -> Bool {
        disk.lookups.contains { if case .key(let name) = $0.lookup { name.key == key } else { false } }
    }

    private mutating func attach(_ attachment: Attachment, _ stream: StreamKey, from peer: Int) {
        var attachment = attachment
        if sabotage == .ownersIgnored, let work = ledger[attachment.query]?.work {
            attachment.account = FaultWork.account(ofOwner: works[work].owner)
        }
        do throws(Status) {
            try broker.attach(attachment, by: stream)
        } catch {
            tell("attachment to \(attachment.query.low) refused: \(error)")
            send(.end(stream: stream.stream, error), over: stream.session.rawValue)
        }
    }

    private mutating func cancel(_ stream: StreamKey) {
        let id = ledger.order.last { broker.query($0)?.readers.contains(stream) == true }
        // Giving up an attachment ends nothing that is written down.
        let ends = ledger.submissions.contains(stream) || id.flatMap { ledger[$0]?.durability } == .volatile
        if let id, ends, broker.query(id)?.readers.isOnly(stream) == true {
            ledger.change(id) { $0.isCancelled = true }
        }
        guard sabotage != .cancellationsIgnored else { return }
        let isOver = broker.cancel(stream, at: brokerNow)
        if let id, broker.query(id)?.hasEnded == true { ledger.endLease(of: id) }
        guard isOver else { return }
        coverage.note(.cancelled)
        let status = Status(.cancelled, .cancelledByClient, "cancelled by the client")
        send(.end(stream: stream.stream, status), over: stream.session.rawValue)
    }

    private mutating func acknowledge(_ id: QueryID, _ stream: StreamKey, from peer: Int) {
        do throws(Status) {
            let account = FaultWork.account(ofOwner: works[ledger[id]?.work ?? 0].owner)
            guard try broker.acknowledge(id, as: account, by: stream, at: brokerNow) else {
                coverage.note(.acknowledgementLookedUp)
                return
            }
            ledger.change(id) { $0.isAcknowledged = true }
            answer(stream)
        } catch {
            send(.acknowledged(stream: stream.stream, error), over: stream.session.rawValue)
        }
    }

    mutating func answer(_ stream: StreamKey) {
        coverage.note(.acknowledged)
        send(.acknowledged(stream: stream.stream, .ok), over: stream.session.rawValue)
    }

    mutating func clientSessionEnded(_ session: UInt64) {
        broker.sessionEnded(SessionID(rawValue: session), at: brokerNow)
        process.blocked.removeAll { $0.session == session }
    }

    // MARK: Telling

    mutating func announce(_ stream: StreamKey) {
        if sabotage == .wakeUpsLost, chance(0.03) { return }
        serve(stream)
    }

    private mutating func serve(_ stream: StreamKey) {
        let session = stream.session.rawValue
        while process.isUp, let state = process.sessions[session] {
            guard state.outstanding < Self.spool || sabotage == .spoolUnbounded else {
                process.blocked.append((session, stream.stream))
                return
            }
            guard let delivery = broker.nextDelivery(to: stream) else { return }
            check(delivery, to: stream, peer: state.peer)
            if case .givenUp(_, let status) = delivery {
                coverage.note(.cancelled)
                send(.end(stream: stream.stream, status), over: session)
                return
            }
            if case .reset = delivery, sabotage == .resetsWithheld { continue }
            if case .tokens = delivery, sabotage == .crossTalk, chance(0.05), let other = strangerStream(to: stream) {
                send(.delivery(stream: other.stream, delivery), over: other.session.rawValue)
            }
            process.sessions[session]?.outstanding += 1
            if state.outstanding + 1 > Self.spool { fail(.credit, "a connection got more than it holds") }
            send(.delivery(stream: stream.stream, delivery), over: session)
        }
    }

    /// Somebody else's stream of a query that was accepted, for tokens to go astray.
    private func strangerStream(to stream: StreamKey) -> StreamKey? {
        guard let own = ledger.byStream[stream].flatMap({ ledger[$0] }) else { return nil }
        for session in process.order {
            guard let peer = process.sessions[session]?.peer, case .client(let client) = peers[peer].role,
                clients[client].owner != works[own.work].owner,
                let open = clients[client].open.sorted(by: { $0.key < $1.key })
                    .first(where: { calls[$0.value].id != nil }),
                peers[peer].session == session
            else { continue }
            return StreamKey(session, open.key)
        }
        return nil
    }

    mutating func serveBlocked() {
        guard !process.blocked.isEmpty else { return }
        let blocked = process.blocked
        process.blocked.removeAll(keepingCapacity: true)
        for (session, stream) in blocked { serve(StreamKey(session, stream)) }
    }

    mutating func refuse(_ stream: StreamKey, _ status: Status) {
        tell("call \(stream.session.rawValue)/\(stream.stream) refused after a look-up: \(status)")
        send(.end(stream: stream.stream, status), over: stream.session.rawValue)
    }
}

extension StreamKey {
    init(_ session: UInt64, _ stream: UInt64) {
        self.init(session: SessionID(rawValue: session), stream: stream)
    }
}
