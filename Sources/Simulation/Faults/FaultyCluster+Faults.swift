internal import Brokering
internal import ServingModel

/// What goes wrong, and the end of it.
extension FaultyCluster {
    mutating func scheduleFault() {
        guard let gap = plan.faultGap else { return }
        schedule(.fault, after: gap.milliseconds * generator.exponential())
    }

    mutating func strike() {
        guard !isCalm else { return }
        scheduleFault()
        let peer = pick(peers.count)
        switch pick(100) {
        case 0..<14:
            note(.connectionLost, of: peer)
            disconnect(peer, for: Double(pick(1...300)))
        case 14..<26:
            note(.partition, of: peer)
            // Shorter and longer than a session lasts without a sign of life.
            let length = Interval.milliseconds(Int64([50, 400, 1500, 3000][pick(4)]))
            peers[peer].blockedUntil = now + length
        case 26..<36:
            note(.halfOpen, of: peer)
            if chance(0.5) { peers[peer].dropsUp = true } else { peers[peer].dropsDown = true }
            schedule(.reconnect(peer: peer, route: peers[peer].route), after: Double(pick(100...2500)))
        case 36..<46:
            note(.paused, of: peer)
            // One that is stopped already stays so: what it missed would come after what it hears sooner.
            let end = now + .milliseconds(Int64([30, 300, 1500, 3000][pick(4)]))
            peers[peer].pausedUntil = max(peers[peer].pausedUntil, end)
        case 46..<52:
            coverage.note(.brokerPaused)
            tell("fault: the broker is stopped")
            process.pausedUntil = max(
                process.pausedUntil,
                now + .milliseconds(Int64([30, 300, 1200, 2500][pick(4)]))
            )
        case 52..<62: killSomething(.workerKilled, self.peer(ofWorker: pick(workers.count)))
        case 62..<70: killSomething(.schedulerKilled, self.peer(ofScheduler: pick(schedulers.count)))
        case 70..<74:
            let client = pick(clients.count)
            for index in clients[client].open.values.sorted() { calls[index].state = .abandoned }
            clients[client].open = [:]
            killSomething(.clientGone, client)
        case 74..<84:
            coverage.note(.brokerKilled)
            killBroker()
        case 84..<93: hang(pick(workers.count))
        default:
            tell("fault: a worker drains")
            drain(pick(workers.count))
        }
    }

    private mutating func note(_ corner: FaultCoverage.Corner, of peer: Int) {
        coverage.note(corner)
        let role = peers[peer].role
        tell("fault: \(corner) of \(role)")
    }

    private mutating func killSomething(_ corner: FaultCoverage.Corner, _ peer: Int) {
        note(corner, of: peer)
        kill(peer, restartAfter: Double(pick(10...1500)))
    }

    private mutating func hang(_ worker: Int) {
        guard !workers[worker].isHanging else { return }
        let peer = peer(ofWorker: worker)
        note(.engineHung, of: peer)
        workers[worker].isHanging = true
        let incarnation = peers[peer].incarnation
        schedule(.wake(worker: worker, incarnation: incarnation), after: Double([200, 1000, 4000][pick(3)]))
    }

    /// Nothing fails any more, and nothing is left broken.
    mutating func calmDown() {
        tell("faults stop")
        isCalm = true
        // Whoever is stopped or cut off comes back in time, with what was kept for it in order.
        for peer in peers.indices {
            if peers[peer].dropsUp || peers[peer].dropsDown { disconnect(peer, for: 1) }
            if !peers[peer].isUp {
                schedule(.startPeer(peer, incarnation: peers[peer].incarnation), after: 1)
            }
        }
        for worker in workers.indices where workers[worker].isHanging {
            workers[worker].isHanging = false
            startStep(of: worker)
        }
    }

    /// Whether everybody has what they wanted, and the broker nothing more to do.
    var isFinished: Bool {
        process.isUp && broker.liveQueries == 0 && disk.synced == disk.records.count
            && calls.allSatisfy(\.isOver)
    }

    /// All that was promised is read once more, from the first token, by another session.
    mutating func readBack() {
        tell("results are read back")
        isReadingBack = true
        for id in ledger.order {
            guard let query = ledger[id], query.isToldAccepted, !query.isAcknowledged, query.durability != .volatile,
                let client = clients.indices.first(where: { clients[$0].owner == works[query.work].owner })
            else { continue }
            var call = FaultCall(work: query.work, client: client)
            call.id = id
            call.attaches = true
            calls.append(call)
            clients[client].waiting.append(calls.count - 1)
            coverage.note(.readBack)
        }
    }
}
