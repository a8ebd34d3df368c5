internal import Brokering
internal import Glibc
internal import PostgreSQL
internal import ServingModel

/// Where a journal's thread writes to.
///
/// Belongs to that thread from `start` on.
protocol JournalGroupStore: AnyObject {
    /// Writes `records` in one transaction; they are durable when this returns.
    func commit(_ records: [JournalRecord]) throws(JournalFailure)

    /// All answers, in order.
    func lookUp(_ lookups: [JournalLookup]) throws(JournalFailure) -> [KeptResult?]

    /// One bounded step of what is to be done between two groups.
    ///
    /// - Returns: whether there is more to do now.
    func tidy(at time: UnixTime) throws(JournalFailure) -> Bool

    /// Nothing comes any more, and all that came is durable.
    func close()

    /// A write failed: nothing is written any more, and nothing tried again.
    func abandon()
}

/// The thread that does all of a journal's writing, and what waits for it.
///
/// A group of records is one transaction; while that is written and synced, the next group gathers.
final class JournalThread: @unchecked Sendable {
    let inbox = JournalInbox()
    private let configuration: JournalConfiguration
    private let now: @Sendable () -> UnixTime

    // Set before the thread starts, then its alone until it has been joined.
    private var store: (any JournalGroupStore)?
    private var handle: (@Sendable (JournalEvent) -> Void)?
    private var thread: pthread_t?
    private var durable: UInt64 = 0
    private var hasMoreToTidy = false

    init(_ configuration: JournalConfiguration, now: @escaping @Sendable () -> UnixTime) {
        self.configuration = configuration
        self.now = now
    }

    func start(_ store: any JournalGroupStore, _ handle: @escaping @Sendable (JournalEvent) -> Void) {
        precondition(thread == nil, "start the journal once, after recover")
        (self.store, self.handle) = (store, handle)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, journalThread, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "cannot start the journal's thread: \(code)")
        self.thread = thread
    }

    /// - Parameter place: of the journal, in words for an operator.
    func append(_ records: [JournalRecord], to place: String) {
        let waiting = inbox.add(records)
        guard waiting > configuration.maxBacklogBytes else { return }
        inbox.fail(
            JournalFailure(.inputOutput, "writing the journal \(place) is too slow: \(waiting >> 20) MiB wait for it")
        )
    }

    /// Returns when all that was appended is durable, or never will be, and the thread has ended.
    ///
    /// - Returns: whether there was a thread.
    func close() -> Bool {
        inbox.close()
        guard let thread else { return false }
        pthread_join(thread, nil)
        self.thread = nil
        return true
    }

    /// The thread's work, from `start` to `close` or the first failure.
    fileprivate func run() {
        guard let store, let handle else { return }
        do throws(JournalFailure) {
            while try serve(store, handle) {}
            store.close()
        } catch {
            inbox.fail(error)
            store.abandon()
            handle(.failed(error))
        }
        (self.store, self.handle) = (nil, nil)
    }

    /// One group; false after the last.
    private func serve(
        _ store: any JournalGroupStore,
        _ handle: (JournalEvent) -> Void
    ) throws(JournalFailure) -> Bool {
        let group = inbox.take(
            within: hasMoreToTidy ? 0 : configuration.pruneInterval.nanoseconds,
            maxRecords: configuration.maxGroupRecords,
            maxBytes: configuration.maxGroupBytes
        )
        if let failure = group.failure { throw failure }
        if !group.records.isEmpty {
            let begun = MonotonicTime.now()
            try store.commit(group.records)
            durable += UInt64(group.records.count)
            handle(.durable(through: durable, took: Interval(nanoseconds: MonotonicTime.now() - begun)))
        }
        if !group.lookups.isEmpty {
            let found = try store.lookUp(group.lookups.map(\.lookup))
            for (lookup, result) in zip(group.lookups, found) { handle(.found(ticket: lookup.ticket, result)) }
        }
        guard !group.isLast else { return false }
        hasMoreToTidy = try store.tidy(at: now())
        return true
    }
}

private func journalThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<JournalThread>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
