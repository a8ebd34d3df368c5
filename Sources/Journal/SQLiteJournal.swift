package import Brokering
internal import Glibc
package import ServingModel

/// A journal in an SQLite database, with a thread of its own that does all the writing.
///
/// A group of records is one transaction, synced once; while that goes on, the next group gathers. Nothing is done on
/// the caller's thread or on Swift's cooperative pool, except that `recover` and `close` wait: call them where that
/// does no harm.
package final class SQLiteJournal: Journal, @unchecked Sendable {
    private let configuration: JournalConfiguration
    private let file: JournalFile
    private let now: @Sendable () -> UnixTime
    private let inbox: JournalInbox
    private let mover: LogMover

    // Set before the thread starts, then its alone until it has been joined.
    private var store: JournalStore?
    private var handle: (@Sendable (JournalEvent) -> Void)?
    private var thread: pthread_t?
    private var durable: UInt64 = 0
    /// There is more to prune than one step does.
    private var hasMoreToPrune = false

    /// - Parameters:
    ///   - directory: made if it is not there; its parent has to be.
    ///   - now: the wall clock.
    package convenience init(
        directory: String,
        configuration: JournalConfiguration = JournalConfiguration(),
        now: @escaping @Sendable () -> UnixTime
    ) {
        self.init(file: JournalFile(directory: JournalDirectory(path: directory)), configuration, now: now)
    }

    init(file: JournalFile, _ configuration: JournalConfiguration, now: @escaping @Sendable () -> UnixTime) {
        self.file = file
        self.configuration = configuration
        self.now = now
        let inbox = JournalInbox()
        self.inbox = inbox
        mover = LogMover(file) { inbox.fail($0) }
    }

    package func recover() throws(JournalFailure) -> Recovery {
        precondition(store == nil, "the journal is open already")
        let (store, recovery) = try JournalStore.open(file, configuration, at: now())
        self.store = store
        return recovery
    }

    package func start(_ handle: @escaping @Sendable (JournalEvent) -> Void) {
        precondition(store != nil && thread == nil, "start the journal once, after recover")
        self.handle = handle
        mover.start()
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
                "writing the journal \(file.directory.database) is too slow: \(waiting >> 20) MiB wait for the disk"
            )
        )
    }

    package func lookUp(_ lookup: JournalLookup, ticket: UInt64) {
        inbox.add(lookup, ticket: ticket)
    }

    package func close() {
        inbox.close()
        if let thread {
            pthread_join(thread, nil)
        } else {
            finish()
        }
        thread = nil
    }

    /// The thread's work, from `start` to `close` or the first failure.
    fileprivate func run() {
        guard let store, let handle else { return }
        do throws(JournalFailure) {
            while try serve(store, handle) {}
            mover.stop()
            finish()
        } catch {
            inbox.fail(error)
            mover.stop()
            store.abandon()
            self.store = nil
            handle(.failed(error))
        }
        self.handle = nil
    }

    /// One group; false after the last.
    private func serve(_ store: JournalStore, _ handle: (JournalEvent) -> Void) throws(JournalFailure) -> Bool {
        let group = inbox.take(
            within: hasMoreToPrune ? 0 : configuration.pruneInterval.nanoseconds,
            maxRecords: configuration.maxGroupRecords,
            maxBytes: configuration.maxGroupBytes
        )
        if let failure = group.failure { throw failure }
        if !group.records.isEmpty {
            let begun = Self.monotonicNanoseconds()
            try store.commit(group.records)
            durable += UInt64(group.records.count)
            let took = Interval(nanoseconds: Self.monotonicNanoseconds() - begun)
            handle(.durable(through: durable, took: took))
        }
        for (lookup, ticket) in group.lookups { handle(.found(ticket: ticket, try store.lookUp(lookup))) }
        guard !group.isLast else { return false }
        hasMoreToPrune = try store.prune(at: now())
        try store.moveLog(with: mover)
        return true
    }

    private static func monotonicNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func finish() {
        store?.close()
        store = nil
    }
}

private func journalThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<SQLiteJournal>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
