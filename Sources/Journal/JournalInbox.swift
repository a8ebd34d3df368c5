internal import Brokering
internal import DequeModule
internal import Glibc
internal import ServingModel

/// What waits for a journal's thread: records, lookups and the wish to end.
///
/// `add` never waits. The thread takes groups, as large as they have grown while it was busy, within bounds.
final class JournalInbox: @unchecked Sendable {
    /// Everything for one round of the thread.
    struct Group {
        var records: [JournalRecord] = []
        var lookups: [(lookup: JournalLookup, ticket: UInt64)] = []
        /// Nothing comes after this group.
        var isLast = false
        /// Reported by somebody else than the thread.
        var failure: JournalFailure?
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // All below under the mutex.
    private var records: Deque<(record: JournalRecord, bytes: Int)> = []
    private var bytes = 0
    private var lookups: [(lookup: JournalLookup, ticket: UInt64)] = []
    private var isClosing = false
    private var failure: JournalFailure?

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// - Returns: how many bytes wait now.
    func add(_ added: [JournalRecord]) -> Int {
        withLock {
            guard failure == nil, !isClosing else { return bytes }
            for record in added {
                let size = record.approximateBytes
                records.append((record, size))
                bytes += size
            }
            return bytes
        }
    }

    func add(_ lookup: JournalLookup, ticket: UInt64) {
        withLock {
            guard failure == nil, !isClosing else { return }
            lookups.append((lookup, ticket))
        }
    }

    func close() {
        withLock { isClosing = true }
    }

    /// Nothing that waits or comes will be taken; the next group says why.
    func fail(_ reason: JournalFailure) {
        withLock {
            guard failure == nil else { return }
            failure = reason
            records = []
            lookups = []
            bytes = 0
        }
    }

    /// Why there will be no next group.
    var failureNow: JournalFailure? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return failure
    }

    /// The next group; empty if there is none within `nanoseconds`.
    func take(within nanoseconds: Int64, maxRecords: Int, maxBytes: Int) -> Group {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isQuiet, nanoseconds > 0 { wait(nanoseconds) }
        var group = Group(failure: failure)
        var taken = 0
        while let next = records.first, group.records.count < maxRecords {
            guard taken == 0 || taken + next.bytes <= maxBytes else { break }
            taken += next.bytes
            group.records.append(next.record)
            records.removeFirst()
        }
        bytes -= taken
        // Lookups see all that was appended before them.
        if records.isEmpty { swap(&group.lookups, &lookups) }
        group.isLast = isClosing && records.isEmpty
        return group
    }

    private var isQuiet: Bool { records.isEmpty && lookups.isEmpty && !isClosing && failure == nil }

    private func wait(_ nanoseconds: Int64) {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let (seconds, rest) = (until.tv_nsec + Int(nanoseconds)).quotientAndRemainder(dividingBy: 1_000_000_000)
        until.tv_sec += seconds
        until.tv_nsec = rest
        while isQuiet, pthread_cond_timedwait(changed, mutex, &until) == 0 {}
    }

    private func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_signal(changed)
            pthread_mutex_unlock(mutex)
        }
        return body()
    }
}

extension JournalRecord {
    /// About what it takes in memory and on the disk.
    var approximateBytes: Int {
        switch self {
        case .accepted(let query): 512 + query.request.count
        case .ended(_, let end): 512 + end.output.text.count + 4 * end.output.ids.count
        case .checkpoint(_, let part): 128 + part.text.count + 4 * part.ids.count
        case .leased, .retried, .resumed, .reset, .acknowledged: 256
        }
    }
}
