internal import Brokering
internal import Glibc
internal import PostgreSQL
internal import ServingModel

/// Does what a journal's thread has to do, over as many connections as that takes.
///
/// What was sent and not answered when a connection was lost may have been committed or not: the count of records in the
/// database tells, and a transaction that expects another count than it finds changes nothing.
final class PostgreSQLGroupWriter: JournalGroupStore {
    private let database: PostgreSQLDatabase
    private let configuration: JournalConfiguration
    private let lease: LeaderLease
    private let inbox: JournalInbox
    private let epoch: UInt32
    private var store: PostgreSQLStore?
    private var written: UInt64 = 0
    private var endedQueries = 0
    private var usedBytes: Int64 = 0
    private var nextPruning = UnixTime(milliseconds: .min)
    private var isStalled = false
    /// Told when the database does not answer, and with nil when it does again.
    var noteStall: ((JournalFailure?) -> Void)?

    init(
        _ database: PostgreSQLDatabase,
        _ configuration: JournalConfiguration,
        _ lease: LeaderLease,
        _ inbox: JournalInbox,
        epoch: UInt32
    ) {
        self.database = database
        self.configuration = configuration
        self.lease = lease
        self.inbox = inbox
        self.epoch = epoch
    }

    /// Reads what is unfinished.
    func open() throws -> Recovery {
        let store = try connect(since: MonotonicTime.now())
        return try store.reader(waiting(since: MonotonicTime.now())).recovery(epoch: epoch)
    }

    func commit(_ records: [JournalRecord]) throws(JournalFailure) {
        let begun = MonotonicTime.now()
        try persist("writing", since: begun) { store, waiting throws(PostgreSQLError) in
            let change = try store.commit(records, after: written, whileWaiting: waiting)
            note(change)
        } isDone: { position in
            // The commit was lost on its way back; what it changed is counted anew with every connection.
            position == Int64(written) + Int64(records.count)
        }
        written += UInt64(records.count)
    }

    func lookUp(_ lookups: [JournalLookup]) throws(JournalFailure) -> [KeptResult?] {
        guard !lookups.isEmpty else { return [] }
        var found: [KeptResult?] = []
        try persist("reading", since: MonotonicTime.now()) { store, waiting in
            found = try store.reader(waiting).lookUp(lookups)
        } isDone: { _ in
            false
        }
        return found
    }

    /// One bounded step towards what the journal is to keep, if that is due.
    func tidy(at time: UnixTime) throws(JournalFailure) -> Bool {
        // A clock that was set back is no reason to wait.
        let interval = configuration.pruneInterval.nanoseconds / 1_000_000
        guard time >= nextPruning || nextPruning.milliseconds - time.milliseconds > interval else { return false }
        var dropped = 0
        try persist("writing", since: MonotonicTime.now()) { store, waiting throws(PostgreSQLError) in
            dropped = try dropEnded(store, at: time, waiting)
        } isDone: { _ in
            false
        }
        guard dropped < configuration.pruneStep else { return true }
        nextPruning = UnixTime(milliseconds: time.milliseconds + interval)
        return false
    }

    func close() {
        noteStall = nil
    }

    func abandon() {
        noteStall = nil
        lease.lose()
    }

    /// Drops ended queries that are too old or too many, those that ended first before others.
    private func dropEnded(
        _ store: PostgreSQLStore,
        at time: UnixTime,
        _ waiting: PostgreSQLConnection.Waiting
    ) throws(PostgreSQLError) -> Int {
        let oldest = UnixTime(milliseconds: time.milliseconds - configuration.retention.nanoseconds / 1_000_000)
        let surplus = max(endedQueries - configuration.maxResults, 0)
        let step = configuration.pruneStep
        var count = min(usedBytes > configuration.maxBytes ? step : surplus, step)
        if count < step { count = max(count, try store.expired(before: oldest, whileWaiting: waiting)) }
        count = min(count, endedQueries)
        guard count > 0 else { return 0 }
        let change = try store.drop(count, after: written, whileWaiting: waiting)
        note(change)
        return -change.ended
    }

    private func note(_ change: PostgreSQLStore.Change) {
        endedQueries += change.ended
        usedBytes += change.bytes
    }
}

extension PostgreSQLGroupWriter {
    /// Does `body` until it works, on one connection after the other, as long as the lead is ours.
    ///
    /// - Parameter isDone: whether a count of records in the database says that it was done although nobody was told.
    private func persist(
        _ deed: String,
        since begun: Int64,
        _ body: (PostgreSQLStore, @escaping PostgreSQLConnection.Waiting) throws -> Void,
        isDone: (_ records: Int64) -> Bool
    ) throws(JournalFailure) {
        while true {
            do {
                let isFresh = store == nil
                let store = try self.store ?? connect(since: begun)
                if isFresh, isDone(try checkPosition(of: store, since: begun)) { break }
                try body(store, waiting(since: begun))
                break
            } catch let error as PostgreSQLError {
                store = nil
                if let failure = inbox.failureNow { throw failure }
                // A transaction that found another count than it expects: the next connection sees why.
                let isFenced = error.state == PostgreSQLSchema.fencedState
                guard error.isPassing || error.kind == .abandoned || isFenced else {
                    throw JournalFailure(error, deed, database.address)
                }
                stall(JournalFailure(error, deed, database.address), since: begun)
                usleep(error.kind == .refused && !isFenced ? 200_000 : 50_000)
            } catch {
                throw JournalFailure(error, deed, database.address)
            }
        }
        guard isStalled else { return }
        isStalled = false
        noteStall?(nil)
    }

    private func connect(since begun: Int64) throws -> PostgreSQLStore {
        let store = try PostgreSQLStore(
            database,
            configuration,
            epoch: epoch,
            whileWaiting: waiting(since: begun)
        )
        let usage = try store.reader(waiting(since: begun)).usage()
        (endedQueries, usedBytes) = usage
        self.store = store
        return store
    }

    /// How many records the database has of this epoch.
    private func checkPosition(of store: PostgreSQLStore, since begun: Int64) throws -> Int64 {
        let position = try store.position(whileWaiting: waiting(since: begun))
        guard position.epoch == Int64(epoch) else { throw LeaderLease.superseded(database.address) }
        guard position.records >= Int64(written) else {
            throw RowDamage("it has \(position.records) records of epoch \(epoch), and had \(written)")
        }
        return position.records
    }

    /// Waits as long as this process leads; a connection on which nothing is heard is given up for another in between.
    private func waiting(since begun: Int64) -> PostgreSQLConnection.Waiting {
        { [self] waited throws(PostgreSQLError) in
            if inbox.failureNow != nil { throw PostgreSQLError(.abandoned, "the journal has failed") }
            let failure = JournalFailure(
                .unreachable,
                "the journal's database \(database.address.shown) does not answer"
            )
            stall(failure, since: begun)
            guard waited < configuration.answerPatience else {
                throw PostgreSQLError(
                    .abandoned,
                    "the database did not answer for \(waited.nanoseconds / 1_000_000_000) s"
                )
            }
        }
    }

    private func stall(_ failure: JournalFailure, since begun: Int64) {
        guard !isStalled, MonotonicTime.now() - begun >= configuration.stallAfter.nanoseconds else { return }
        isStalled = true
        noteStall?(failure)
    }
}
