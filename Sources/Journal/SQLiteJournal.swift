package import Brokering
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
    private let thread: JournalThread
    private let book: WorkerBook
    /// From `recover` on; the thread's alone while that runs.
    private var store: JournalStore?

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
        thread = JournalThread(configuration, now: now)
        book = WorkerBook(directory: file.directory.path)
    }

    package func recover() throws(JournalFailure) -> Recovery {
        precondition(store == nil, "the journal is open already")
        let (store, recovery) = try JournalStore.open(file, configuration, at: now())
        self.store = store
        return recovery
    }

    package func start(_ handle: @escaping @Sendable (JournalEvent) -> Void) {
        guard let store else { preconditionFailure("start the journal once, after recover") }
        store.startMover { [inbox = thread.inbox] in inbox.fail($0) }
        thread.start(store, handle)
    }

    package func append(_ records: [JournalRecord]) {
        thread.append(records, to: file.directory.database)
    }

    package func lookUp(_ lookup: JournalLookup, ticket: UInt64) {
        thread.inbox.add(lookup, ticket: ticket)
    }

    package func note(workers: [String: LatencyProfile]) {
        book.note(workers)
    }

    package func close() {
        book.close()
        if !thread.close() { store?.close() }
        store = nil
    }
}
