package import Brokering
package import ServingModel
internal import Synchronization

/// A journal without a disk, for tests and simulations: what is appended becomes durable only when told.
///
/// `sync` makes records durable, `crash` forgets those that are not; the handler is called from within `sync` and
/// `fail`. After a `crash` or `close`, `recover` begins the next epoch.
package final class InMemoryJournal: Journal {
    private struct State {
        var image = JournalImage()
        var epoch: UInt32 = 0
        var pending: [JournalRecord] = []
        var lookups: [(lookup: JournalLookup, ticket: UInt64)] = []
        /// Of this opening.
        var durable: UInt64 = 0
        var handle: (@Sendable (JournalEvent) -> Void)?
        var hasFailed = false

        mutating func shut() {
            pending = []
            lookups = []
            handle = nil
        }
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> UnixTime

    /// - Parameter now: the wall clock; its seconds are the least an epoch can be.
    package init(now: @escaping @Sendable () -> UnixTime = { UnixTime(milliseconds: 0) }) {
        self.now = now
    }

    package func recover() throws(JournalFailure) -> Recovery {
        let time = now()
        return state.withLock { state in
            state.shut()
            state.epoch = .next(after: state.epoch, at: time)
            state.durable = 0
            state.hasFailed = false
            return state.image.recovery(epoch: state.epoch)
        }
    }

    package func start(_ handle: @escaping @Sendable (JournalEvent) -> Void) {
        state.withLock { $0.handle = handle }
    }

    package func append(_ records: [JournalRecord]) {
        state.withLock { state in
            guard !state.hasFailed else { return }
            state.pending += records
        }
    }

    package func lookUp(_ lookup: JournalLookup, ticket: UInt64) {
        state.withLock { state in
            guard !state.hasFailed else { return }
            state.lookups.append((lookup, ticket))
        }
    }

    package func close() {
        sync()
        state.withLock { $0.shut() }
    }

    /// How many records are appended and not durable.
    package var pendingRecords: Int { state.withLock { $0.pending.count } }

    /// Makes the first `count` pending records durable, or all; after the last of them, lookups are answered.
    package func sync(_ count: Int = .max) {
        let (events, handle) = state.withLock { state in
            var events: [JournalEvent] = []
            let synced = state.pending.prefix(count)
            for record in synced { Self.apply(record, to: &state.image) }
            state.pending.removeFirst(synced.count)
            state.durable += UInt64(synced.count)
            if !synced.isEmpty { events.append(.durable(through: state.durable, took: .zero)) }
            if state.pending.isEmpty {
                events += state.lookups.map { .found(ticket: $0.ticket, state.image.find($0.lookup)) }
                state.lookups = []
            }
            return (events, state.handle)
        }
        for event in events { handle?(event) }
    }

    private static func apply(_ record: JournalRecord, to image: inout JournalImage) {
        do throws(JournalImage.Contradiction) {
            try image.apply(record)
        } catch {
            preconditionFailure("the broker's records contradict each other: \(error)")
        }
    }

    /// The process dies: what is not durable is gone, and nobody hears of anything.
    package func crash() {
        state.withLock { $0.shut() }
    }

    /// A write fails: nothing more becomes durable.
    package func fail(_ failure: JournalFailure) {
        let handle = state.withLock { state in
            guard !state.hasFailed else { return nil as (@Sendable (JournalEvent) -> Void)? }
            state.hasFailed = true
            state.pending = []
            state.lookups = []
            return state.handle
        }
        handle?(.failed(failure))
    }
}

extension UInt32 {
    /// The epoch after `previous`: also at least the wall clock's seconds, since brokers without a journal take those.
    static func next(after previous: UInt32, at time: UnixTime) -> UInt32 {
        Swift.max(previous + 1, UInt32(clamping: time.milliseconds / 1000))
    }
}
