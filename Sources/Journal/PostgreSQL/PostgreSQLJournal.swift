package import Brokering
internal import Foundation
package import PostgreSQL
package import ServingModel
internal import Synchronization

/// A journal in a PostgreSQL database, with a thread of its own that does all the writing.
///
/// As `SQLiteJournal`: a group of records is one transaction, here in one round trip; while that goes on, the next group
/// gathers. In addition one broker of several leads: `recover` takes the lead or says who has it, and from then on every
/// transaction carries the epoch, so that nothing of a broker that was overtaken has any effect.
///
/// When the connection is lost the group is tried again on the next one, exactly once, as long as the lead is ours.
package final class PostgreSQLJournal: Journal, @unchecked Sendable {
    private let configuration: JournalConfiguration
    private let database: PostgreSQLDatabase
    private let now: @Sendable () -> UnixTime
    private let thread: JournalThread
    private let lease: LeaderLease
    private let gaveUp = Atomic<Bool>(false)
    /// From `recover` on; the thread's alone while that runs.
    private var writer: PostgreSQLGroupWriter?

    /// What an operator should know of the database; after `recover`.
    package private(set) var warnings: [String] = []

    /// - Parameters:
    ///   - name: what other brokers say of this one while it leads.
    ///   - now: the wall clock.
    package init(
        _ address: PostgreSQLAddress,
        name: String = ProcessInfo.processInfo.hostName,
        configuration: JournalConfiguration = JournalConfiguration(),
        now: @escaping @Sendable () -> UnixTime
    ) {
        self.configuration = configuration
        self.now = now
        thread = JournalThread(configuration, now: now)
        let instance = String(UInt64.random(in: .min ... .max), radix: 16)
        database = PostgreSQLDatabase(address: address, instance: instance)
        lease = LeaderLease(database, name: name, duration: configuration.lease)
    }

    package var mayAct: Bool { lease.isValid }

    /// Waits until a leader that no longer lives has lost its lease; one that lives is a failure, `.inUse`.
    package func recover() throws(JournalFailure) -> Recovery {
        try recover(standingBy: nil)
    }

    /// Waits until no other broker leads, for as long as that takes, then does as `recover`.
    ///
    /// - Parameter note: told who leads, or why nobody can be asked, whenever that changes.
    /// - Throws: `.inUse` after `giveUp`, or why the database will never do.
    package func standBy(_ note: @escaping (String) -> Void) throws(JournalFailure) -> Recovery {
        try recover(standingBy: note)
    }

    /// Lets `standBy` end; from any thread.
    package func giveUp() { gaveUp.store(true, ordering: .relaxed) }

    private func recover(standingBy note: ((String) -> Void)?) throws(JournalFailure) -> Recovery {
        precondition(writer == nil, "the journal is open already")
        let address = database.address
        do {
            let election = LeaderElection(lease, database, now: now) { [self] in gaveUp.load(ordering: .relaxed) }
            let (epoch, connection) = try election.win(standingBy: note) { warnings = $0 }
            lease.keep(on: connection) { [inbox = thread.inbox] in inbox.fail($0) }
            let writer = PostgreSQLGroupWriter(database, configuration, lease, thread.inbox, epoch: epoch)
            let recovery = try writer.open()
            self.writer = writer
            return recovery
        } catch {
            lease.release()
            throw JournalFailure(error, "opening", address)
        }
    }

    package func start(_ handle: @escaping @Sendable (JournalEvent) -> Void) {
        guard let writer else { preconditionFailure("start the journal once, after recover") }
        writer.noteStall = { handle(.stalled($0)) }
        thread.start(writer, handle)
    }

    package func append(_ records: [JournalRecord]) {
        thread.append(records, to: "in \(database.address.shown)")
    }

    package func lookUp(_ lookup: JournalLookup, ticket: UInt64) {
        thread.inbox.add(lookup, ticket: ticket)
    }

    package func close() {
        _ = thread.close()
        writer = nil
        lease.release()
    }
}
