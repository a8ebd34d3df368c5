internal import Brokering
internal import ServingModel

/// Connections and sessions: order within a connection, and nothing beyond its loss.
extension FaultyCluster {
    private static let heartbeat = 200.0
    private static let timeout = Interval.seconds(1)

    mutating func send(_ request: FaultRequest, from peer: Int) {
        guard peers[peer].isUp, peers[peer].isConnected, process.isUp, !peers[peer].dropsUp else { return }
        let arrival = max(now + delay(of: peer), max(peers[peer].lastUp, peers[peer].blockedUntil))
        peers[peer].lastUp = arrival
        let event = FaultEvent.toBroker(
            peer: peer,
            route: peers[peer].route,
            session: peers[peer].session ?? 0,
            request
        )
        schedule(event, at: arrival)
        if Self.mayComeTwice(request), chance(plan.duplicateChance) {
            coverage.note(.duplicateMessage)
            // A scheduler that is behind repeats what it decided before.
            var again = arrival
            if case .placements = request { again = arrival + .milliseconds(Int64(pick(150))) }
            schedule(event, at: again)
        }
    }

    /// What an application may send again because it does not know whether it arrived.
    private static func mayComeTwice(_ request: FaultRequest) -> Bool {
        switch request {
        case .cancel, .acknowledge, .pull, .report, .drain, .placements: true
        case .hello, .heartbeat, .goodbye, .submit, .attach, .register, .schedule: false
        }
    }

    mutating func send(_ reply: FaultReply, over session: UInt64) {
        guard let peer = process.sessions[session]?.peer, let route = process.sessions[session]?.route else { return }
        guard peers[peer].route == route else { return }
        send(reply, over: session, to: peer)
    }

    private mutating func send(_ reply: FaultReply, over session: UInt64, to peer: Int) {
        guard peers[peer].isUp, peers[peer].isConnected, !peers[peer].dropsDown else { return }
        let arrival = max(now + delay(of: peer), max(peers[peer].lastDown, peers[peer].blockedUntil))
        peers[peer].lastDown = arrival
        schedule(.toPeer(peer: peer, route: peers[peer].route, session: session, reply), at: arrival)
    }

    private mutating func delay(of peer: Int) -> Interval {
        .seconds(rounding: peers[peer].delay * (0.5 + generator.exponential() * 0.5) / 1000)
    }

    // MARK: The broker's end

    mutating func arriveAtBroker(_ peer: Int, _ route: Int, _ session: UInt64, _ request: FaultRequest) {
        guard route == peers[peer].route, process.isUp else { return }
        if case .hello = request { return openSession(for: peer) }
        guard process.sessions[session]?.peer == peer, process.sessions[session]?.route == route else {
            send(.goodbye, over: session, to: peer)
            return
        }
        process.sessions[session]?.lastHeard = now
        switch request {
        case .hello, .heartbeat: return
        case .goodbye: endSession(session)
        default: hear(request, over: session, from: peer)
        }
        checkBroker()
        wantRound()
    }

    private mutating func openSession(for peer: Int) {
        for old in process.order where process.sessions[old]?.peer == peer {
            if process.sessions[old]?.route == peers[peer].route { endSession(old) }
        }
        let session = process.nextSession
        process.nextSession += 1
        process.sessions[session] = FaultSession(peer: peer, route: peers[peer].route, lastHeard: now)
        process.order.append(session)
        send(.welcome(session), over: session)
    }

    mutating func endSession(_ session: UInt64) {
        guard let ended = process.sessions.removeValue(forKey: session) else { return }
        process.order.removeAll { $0 == session }
        switch peers[ended.peer].role {
        case .client: clientSessionEnded(session)
        case .worker: if ended.isRegistered { workerSessionEnded(session, wasDraining: ended.isDraining) }
        case .scheduler: schedulerSessionEnded(session)
        }
        checkBroker()
        wantRound()
    }

    /// Ends a session from the broker's side, with a word to the peer.
    mutating func dismiss(_ session: UInt64) {
        send(.goodbye, over: session)
        endSession(session)
    }

    mutating func beatBroker() {
        for session in process.order {
            if let last = process.sessions[session]?.lastHeard, last + Self.timeout <= now { endSession(session) }
        }
        for session in process.order { send(.heartbeat, over: session) }
        schedule(.brokerBeat(boot: process.boot), after: Self.heartbeat)
    }

    // MARK: The peers' end

    mutating func beat(_ peer: Int) {
        guard peers[peer].isUp else { return }
        if peers[peer].session != nil, peers[peer].lastHeard + Self.timeout <= now { sessionLost(peer) }
        if peers[peer].session != nil {
            send(.heartbeat, from: peer)
            if case .client(let client) = peers[peer].role { retryWaiting(client) }
        } else if peers[peer].greeted.map({ $0 + Self.timeout <= now }) ?? true {
            greet(peer)
        }
        schedule(.beat(peer: peer, incarnation: peers[peer].incarnation), after: Self.heartbeat)
    }

    private mutating func greet(_ peer: Int) {
        guard process.isUp, peers[peer].isConnected else { return }
        peers[peer].greeted = now
        send(.hello, from: peer)
    }

    mutating func arriveAtPeer(_ peer: Int, _ route: Int, _ session: UInt64, _ reply: FaultReply) {
        guard route == peers[peer].route, peers[peer].isUp else { return }
        if case .welcome(let number) = reply {
            guard peers[peer].greeted != nil, peers[peer].session == nil else { return }
            peers[peer].session = number
            peers[peer].greeted = nil
            peers[peer].lastHeard = now
            sessionOpened(peer)
            return
        }
        guard peers[peer].session == session else { return }
        peers[peer].lastHeard = now
        switch reply {
        case .welcome, .heartbeat: break
        case .goodbye:
            sessionLost(peer)
            greet(peer)
        default:
            switch peers[peer].role {
            case .client(let client): tellClient(client, over: session, reply)
            case .worker(let worker): tellWorker(worker, reply)
            case .scheduler(let scheduler): tellScheduler(scheduler, reply)
            }
        }
    }

    private mutating func sessionOpened(_ peer: Int) {
        switch peers[peer].role {
        case .client(let client): clientOpened(client)
        case .worker(let worker): workerOpened(worker)
        case .scheduler(let scheduler): schedulerOpened(scheduler)
        }
    }

    mutating func sessionLost(_ peer: Int) {
        guard peers[peer].session != nil else { return }
        peers[peer].session = nil
        peers[peer].greeted = nil
        switch peers[peer].role {
        case .client(let client): clientLost(client)
        case .worker(let worker): workerLost(worker)
        case .scheduler(let scheduler): schedulerLost(scheduler)
        }
    }

    // MARK: Connections

    /// Everything in flight is lost, and so is the session: a new connection is another peer to the broker.
    mutating func disconnect(_ peer: Int, for milliseconds: Double) {
        peers[peer].route += 1
        peers[peer].isConnected = false
        peers[peer].dropsUp = false
        peers[peer].dropsDown = false
        peers[peer].blockedUntil = now
        peers[peer].lastUp = now
        peers[peer].lastDown = now
        schedule(.reconnect(peer: peer, route: peers[peer].route), after: milliseconds)
    }

    mutating func reconnect(_ peer: Int, _ route: Int) {
        guard peers[peer].route == route, peers[peer].isUp else { return }
        peers[peer].isConnected = true
        // The first frame on it would be refused: the peer starts over at once.
        sessionLost(peer)
        greet(peer)
    }

    mutating func startPeer(_ peer: Int, _ incarnation: Int) {
        guard peers[peer].incarnation == incarnation, !peers[peer].isUp else { return }
        peers[peer].isUp = true
        peers[peer].isConnected = true
        peers[peer].pausedUntil = now
        beat(peer)
    }

    /// The process is gone with all it knew.
    mutating func kill(_ peer: Int, restartAfter milliseconds: Double?) {
        guard peers[peer].isUp else { return }
        sessionLost(peer)
        peers[peer].isUp = false
        peers[peer].incarnation += 1
        disconnect(peer, for: 0)
        switch peers[peer].role {
        case .client: break
        case .worker(let worker): workers[worker].restart()
        case .scheduler(let scheduler): restart(scheduler)
        }
        if let milliseconds {
            schedule(.startPeer(peer, incarnation: peers[peer].incarnation), after: milliseconds)
        }
    }
}
