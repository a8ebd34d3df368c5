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
    private let inbox = JournalInbox()
    private let lease: LeaderLease
    private let gaveUp = Atomic<Bool>(false)

    // Set before the thread starts, then its alone until it has been joined.
    private var writer: PostgreSQLGroupWriter?
    private var handle: (@Sendable (JournalEvent) -> Void)?
    private var thread: pthread_t?
    private var durable: UInt64 = 0

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
            lease.keep(on: connection) { [inbox] in inbox.fail($0) }
            let writer = PostgreSQLGroupWriter(database, configuration, lease, inbox, epoch: epoch)
            let recovery = try writer.open()
            self.writer = writer
            return recovery
        } catch {
            lease.release()
            throw JournalFailure(error, "opening", address)
        }
    }

    package func start(_ handle: @escaping @Sendable (JournalEvent) -> Void) {
        precondition(writer != nil && thread == nil, "start the journal once, after recover")
        self.handle = handle
        writer?.noteStall = { handle(.stalled($0)) }
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, journalThread, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "cannot start the journal's thread: \(code)")
        self.thread = thread
    }

    package func append(_ records: [JournalRecord]) {
        let waiting = inbox.add(records)
        guard waiting > configuration.maxBacklogBytes else { return }
        inbox.fail(
            JournalFailure(
                .inputOutput,
                "writing the journal in \(database.address.shown) is too slow: \(waiting >> 20) MiB wait for it"
            )
        )
    }

    package func lookUp(_ lookup: JournalLookup, ticket: UInt64) {
        inbox.add(lookup, ticket: ticket)
    }

    package func close() {
        inbox.close()
        if let thread { pthread_join(thread, nil) }
        thread = nil
        writer = nil
        lease.release()
    }

    /// The thread's work, from `start` to `close` or the first failure.
    fileprivate func run() {
        guard let writer, let handle else { return }
        do throws(JournalFailure) {
            while try serve(writer, handle) {}
        } catch {
            lease.lose()
            inbox.fail(error)
            handle(.failed(error))
        }
        self.handle = nil
        writer.noteStall = nil
    }

    /// One group; false after the last.
    private func serve(
        _ writer: PostgreSQLGroupWriter,
        _ handle: (JournalEvent) -> Void
    ) throws(JournalFailure) -> Bool {
        let group = inbox.take(
            within: writer.hasMoreToPrune ? 0 : configuration.pruneInterval.nanoseconds,
            maxRecords: configuration.maxGroupRecords,
            maxBytes: configuration.maxGroupBytes
        )
        if let failure = group.failure { throw failure }
        if !group.records.isEmpty {
            let begun = MonotonicTime.now()
            try writer.commit(group.records)
            durable += UInt64(group.records.count)
            handle(.durable(through: durable, took: Interval(nanoseconds: MonotonicTime.now() - begun)))
        }
        let found = try writer.lookUp(group.lookups.map(\.lookup))
        for (lookup, result) in zip(group.lookups, found) { handle(.found(ticket: lookup.ticket, result)) }
        guard !group.isLast else { return false }
        try writer.prune(at: now())
        return true
    }
}

private func journalThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<PostgreSQLJournal>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
