internal import Brokering
internal import ServingModel

/// Clients as the protocol wants them: what was accepted is attached to again, what was not is submitted again under
/// the same name.
extension FaultyCluster {
    // MARK: What they do of their own accord

    mutating func act(_ client: Int) {
        guard peers[client].isUp, !isCalm else { return }
        switch pick(100) {
        case 0..<62: begin(makeWork(for: clients[client].owner), by: client)
        case 62..<72: submitAgain(client)
        case 72..<80: attachToOther(client, storm: 1)
        case 80..<83: attachToOther(client, storm: 5)
        case 83..<87: intrude(client)
        case 87..<94: cancelOne(client)
        default: acknowledgeOne(client)
        }
    }

    private mutating func begin(_ work: Int, by client: Int, isVariant: Bool = false) {
        var call = FaultCall(work: work, client: client)
        call.isVariant = isVariant
        add(call)
    }

    private mutating func add(_ call: FaultCall) {
        calls.append(call)
        clients[call.client].waiting.append(calls.count - 1)
        sendWaiting(call.client)
    }

    /// The same name once more, at about the same time or much later; sometimes for something else.
    private mutating func submitAgain(_ client: Int) {
        let candidates = works.indices.suffix(15).filter { works[$0].owner == clients[client].owner }
        let named = candidates.filter { works[$0].key != nil }
        guard !named.isEmpty else { return }
        let work = named[pick(named.count)]
        coverage.note(.submittedAgain)
        for _ in 0..<[1, 1, 3][pick(3)] { begin(work, by: client, isVariant: chance(0.1)) }
    }

    /// Goes on with what another call of the owner heard, from the token after its last or from the first.
    private mutating func attachToOther(_ client: Int, storm: Int) {
        let known = calls.indices.suffix(40).filter {
            calls[$0].id != nil && !calls[$0].isIntruder && works[calls[$0].work].owner == clients[client].owner
        }
        guard !known.isEmpty else { return }
        for _ in 0..<storm {
            let other = calls[known[pick(known.count)]]
            var call = FaultCall(work: other.work, client: client)
            call.id = other.id
            call.attaches = true
            if chance(0.5) {
                call.tokens = other.tokens
                call.pieces = other.pieces
                call.seenAttempt = other.seenAttempt
            }
            coverage.note(.attachedFromAnotherSession)
            add(call)
        }
    }

    private mutating func intrude(_ client: Int) {
        let foreign = calls.indices.suffix(40).filter {
            calls[$0].id != nil && works[calls[$0].work].owner != clients[client].owner
        }
        guard !foreign.isEmpty else { return }
        let other = calls[foreign[pick(foreign.count)]]
        var call = FaultCall(work: other.work, client: client)
        call.id = other.id
        call.attaches = true
        call.isIntruder = true
        add(call)
    }

    private mutating func cancelOne(_ client: Int) {
        let streams = clients[client].open.keys.sorted()
        guard !streams.isEmpty else { return }
        send(.cancel(stream: streams[pick(streams.count)]), from: client)
    }

    private mutating func acknowledgeOne(_ client: Int) {
        let ended = calls.indices.suffix(40).filter {
            guard case .done(let status) = calls[$0].state, calls[$0].client == client else { return false }
            return calls[$0].isAccepted && !calls[$0].isIntruder && status.code != .cancelled
        }
        guard !ended.isEmpty, let id = calls[ended[pick(ended.count)]].id, peers[client].session != nil else { return }
        clients[client].nextStream += 1
        send(.acknowledge(stream: clients[client].nextStream, id), from: client)
    }

    // MARK: Sessions

    mutating func clientOpened(_ client: Int) {
        clients[client].nextStream = 0
        sendWaiting(client)
    }

    private mutating func sendWaiting(_ client: Int) {
        guard peers[client].session != nil else { return }
        for index in clients[client].waiting {
            clients[client].nextStream += 1
            let stream = clients[client].nextStream
            clients[client].open[stream] = index
            calls[index].state = .open
            guard calls[index].attaches, let id = calls[index].id else {
                calls[index].tokens = []
                calls[index].seenAttempt = 0
                send(.submit(stream: stream, request: index), from: client)
                continue
            }
            let attachment = Attachment(
                query: id,
                firstIndex: calls[index].tokens.count,
                seenAttempt: calls[index].seenAttempt,
                account: FaultWork.account(ofOwner: clients[client].owner)
            )
            send(.attach(stream: stream, attachment), from: client)
        }
        clients[client].waiting.removeAll()
    }

    /// What was open is taken up again in the next session, or never.
    mutating func clientLost(_ client: Int) {
        let open = clients[client].open.values.sorted()
        clients[client].open = [:]
        clients[client].inbox = []
        for index in open {
            if !isCalm, chance(0.12) {
                calls[index].state = .abandoned
                coverage.note(.clientGone)
                continue
            }
            calls[index].state = .waiting
            calls[index].finished = nil
            let hasName = works[calls[index].work].key != nil
            calls[index].attaches = calls[index].id != nil && !(hasName && !calls[index].isIntruder && chance(0.25))
            if calls[index].attaches { coverage.note(.attachedAgain) } else { coverage.note(.submittedAgain) }
            clients[client].waiting.append(index)
        }
    }

    // MARK: What they hear

    mutating func tellClient(_ client: Int, over session: UInt64, _ reply: FaultReply) {
        switch reply {
        case .delivery(let stream, let delivery):
            clients[client].inbox.append((session, stream, delivery))
            if !clients[client].isReading { read(client) }
        case .end(let stream, let status):
            guard let index = clients[client].open.removeValue(forKey: stream) else { return }
            refused(index, status)
        default: break
        }
    }

    /// Takes one message; a slow reader takes the next after a while.
    mutating func read(_ client: Int) {
        guard !clients[client].inbox.isEmpty else {
            clients[client].isReading = false
            return
        }
        let (session, stream, delivery) = clients[client].inbox.removeFirst()
        clients[client].isReading = clients[client].readingTime > .zero
        if clients[client].isReading { schedule(.read(client: client), at: now + clients[client].readingTime) }
        taken(over: session)
        guard let index = clients[client].open[stream] else { return }
        hear(delivery, index)
        if calls[index].isOver { clients[client].open[stream] = nil }
    }

    private mutating func taken(over session: UInt64) {
        guard process.isUp, process.sessions[session] != nil else { return }
        process.sessions[session]?.outstanding -= 1
        if !process.blocked.isEmpty { wantRound() }
    }

    private mutating func hear(_ delivery: Brokering.Delivery, _ index: Int) {
        var call = calls[index]
        defer { calls[index] = call }
        switch delivery {
        case .accepted(let id, _, _):
            if call.attaches, call.id != id { fail(.oneStream, "another query than the one attached to") }
            if call.isIntruder { fail(.tenantsApart, "an intruder was let in") }
            call.id = id
            call.isAccepted = true
        case .started(_, let attempt, _):
            if attempt < call.seenAttempt { fail(.oneStream, "attempt \(attempt) after \(call.seenAttempt)") }
            call.seenAttempt = attempt
        case .reset(let first):
            coverage.note(.toldToStartOver)
            if first > call.tokens.count { fail(.oneStream, "a reset to a token that was never told") }
            if !call.takeBack(to: first) { fail(.oneStream, "a reset to \(first), within what was told in one piece") }
        case .tokens(let first, let count, _, let text):
            let tokens = FaultToken.tokens(in: text.utf8) ?? []
            let query = call.id.flatMap { ledger[$0] }
            if let query, let foreign = tokens.first(where: { FaultToken.work(of: $0) != query.work & 0xFFF }) {
                failForeign(foreign, query)
            }
            if first != call.tokens.count || tokens.count != count {
                fail(.oneStream, "tokens \(first)+\(count) after \(call.tokens.count) of query \(call.id?.low ?? 0)")
            }
            call.take(tokens)
        case .finished(_, _, let tokens): call.finished = tokens
        case .end(let status): heardEnd(status, &call)
        case .givenUp: break
        }
    }

    private mutating func heardEnd(_ status: Status, _ call: inout FaultCall) {
        if status.isOK != (call.finished != nil) { fail(.oneStream, "success and only success is finished") }
        if let finished = call.finished, finished != call.tokens.count {
            fail(.oneStream, "finished after \(finished) tokens, and \(call.tokens.count) were told")
        }
        if let told = call.id.flatMap({ ledger[$0]?.told }), told.tokens != call.tokens {
            fail(
                .oneStream,
                "query \(call.id?.low ?? 0): the answer was \(told.tokens.count) tokens, the client has others"
            )
        }
        call.state = .done(status)
    }

    /// A call ended without its query's end: refused, cancelled, or no such query.
    private mutating func refused(_ index: Int, _ status: Status) {
        coverage.note(.refused)
        if calls[index].isIntruder {
            coverage.note(.intruderRefused)
            if ![.notFound, .resourceExhausted, .cancelled].contains(status.code) {
                fail(.tenantsApart, "an intruder was told \(status)")
            }
        } else if status.reason == .unknownQuery {
            checkUnknown(calls[index])
        } else if status.reason == .keyReused {
            coverage.note(.keyReused)
            let isExpected = calls.contains { $0.work == calls[index].work && $0.isVariant != calls[index].isVariant }
            if !isExpected { fail(.sameKeySameQuery, "the same request was taken for another") }
        }
        let mayHelp = [.unavailable, .resourceExhausted, .notFound].contains(status.code)
        guard mayHelp, status.reason != .unknownQuery, calls[index].refusals < 20, peers[calls[index].client].isUp
        else {
            calls[index].state = .done(status)
            return
        }
        calls[index].refusals += 1
        calls[index].state = .waiting
        clients[calls[index].client].waiting.append(index)
        // The next heartbeat is soon enough to try again.
        if isCalm || chance(0.5) { return }
        sendWaiting(calls[index].client)
    }

    private mutating func checkUnknown(_ call: FaultCall) {
        guard let id = call.id, let query = ledger[id] else { return }
        if query.durability == .volatile {
            // One whose end was told has been kept as long as results are, and one that was cancelled is nobody's loss; the
            // others were lost.
            if query.told == nil, !query.isCancelled { coverage.note(.volatileLost) }
        } else if query.isToldAccepted, !query.isAcknowledged {
            fail(.toldIsKept, "query \(id.low) was accepted and is not found")
        }
    }

    /// Calls that were refused for now are tried again with each heartbeat.
    mutating func retryWaiting(_ client: Int) { sendWaiting(client) }
}
