internal import Brokering
internal import Journal
internal import Logging
internal import ServingModel
internal import Synchronization
internal import ZeroMQ

/// What the journal's thread has to say, until the broker's thread hears it.
final class JournalInbox: Sendable {
    private let events = Mutex<[JournalEvent]>([])

    func add(_ event: JournalEvent) {
        events.withLock { $0.append(event) }
    }

    func takeAll() -> [JournalEvent] {
        events.withLock { events in
            defer { events.removeAll() }
            return events
        }
    }
}

extension BrokerService {
    func startJournal() {
        journal?.start { [journalInbox, loop] event in
            journalInbox.add(event)
            loop.wake()
        }
    }

    /// Gives the journal what this round has for it, together.
    func writeDown(_ actions: [BrokerAction]) {
        guard let journal else { return }
        var records: [JournalRecord] = []
        var lookups: [(lookup: JournalLookup, ticket: UInt64)] = []
        for action in actions {
            switch action {
            case .write(let record): records.append(record)
            case .lookUp(let lookup, let ticket): lookups.append((lookup, ticket))
            default: break
            }
        }
        // What is looked up is to be found as this round leaves it.
        if !records.isEmpty { journal.append(records) }
        for (lookup, ticket) in lookups { journal.lookUp(lookup, ticket: ticket) }
    }

    func hearJournal(at now: Instant) {
        for event in journalInbox.takeAll() {
            switch event {
            case .durable(let count, let took):
                journalFigures.note(count, took: took)
                broker.journaled(through: count, at: now)
            case .found(let ticket, let result):
                broker.found(result, ticket: ticket, at: now)
            case .stalled(let failure):
                noteStall(failure)
            case .failed(let failure):
                fail(failure)
            }
        }
    }

    private func noteStall(_ failure: JournalFailure?) {
        broker.journalStalled(failure != nil)
        if let failure {
            logger.warning("new queries are refused until the journal answers", metadata: ["why": "\(failure.message)"])
        } else {
            logger.notice("the journal answers again")
        }
    }

    /// Stops what may be another's by now; asked at every round.
    ///
    /// - Returns: whether this broker may go on.
    func mayAct() -> Bool {
        guard journalFailure == nil else { return false }
        guard let journal, !journal.mayAct else { return true }
        fail(JournalFailure(.superseded, "the lead was not renewed in time, so that another broker may have it"))
        return false
    }

    /// Stops everything: what is accepted from here on could not be kept.
    private func fail(_ failure: JournalFailure) {
        guard journalFailure == nil else { return }
        journalFailure = failure
        if failure.leavesLead {
            logger.warning("the broker steps down", metadata: ["why": "\(failure.message)"])
        } else {
            logger.critical("the journal failed, the broker stops", metadata: ["why": "\(failure.message)"])
        }
        failureWaiter?.resume()
        failureWaiter = nil
    }

    /// Returns when the journal has failed, or when nobody waits for that any more.
    func waitForFailure() async {
        guard journalFailure == nil, !isEnding else { return }
        // Asked anew: beginning to wait may take its turn behind others.
        await withCheckedContinuation { waiter in
            if journalFailure == nil, !isEnding { failureWaiter = waiter } else { waiter.resume() }
        }
    }

    func stopWaitingForFailure() {
        isEnding = true
        failureWaiter?.resume()
        failureWaiter = nil
    }
}
