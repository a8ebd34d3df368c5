package import Messages
package import ServingModel

/// KV caches that a worker has left for others: which lease each was computed under, and how long it is kept.
///
/// A lease ends when the broker is told that its cache lies ready. Whoever takes the cache removes it; what nobody takes is
/// dropped after a while, and all of it when the session ends, since nobody asks for it then.
package struct HandoverDesk: Sendable {
    /// How long a cache is kept for whoever is to take it.
    package static let keeping = Interval.seconds(60)

    private struct Entry: Sendable {
        var lease: Lease
        var event: HandedOverEvent
        /// When it has arrived, so that the broker can be told.
        var ready: Instant
        var isTold = false
    }

    /// Bytes that may lie there at once; 0 for a worker that leaves none.
    package let byteLimit: Int
    /// In the order in which they were left.
    private var entries: [Entry] = []
    private var discarded: [String] = []

    package init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    package var bytes: Int { entries.reduce(0) { $0 + $1.event.bytes } }
    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    package func hasRoom(for bytes: Int) -> Bool {
        byteLimit > 0 && self.bytes + bytes <= byteLimit
    }

    /// - Parameter ready: when the broker may be told.
    package mutating func leave(_ event: HandedOverEvent, under lease: Lease, ready: Instant) {
        entries.append(Entry(lease: lease, event: event, ready: ready))
    }

    /// What the broker is to be told of now.
    package mutating func takeReady(at now: Instant) -> [LeaseProgress] {
        var progress: [LeaseProgress] = []
        for index in entries.indices where !entries[index].isTold && entries[index].ready <= now {
            entries[index].isTold = true
            var report = LeaseProgress(lease: entries[index].lease)
            report.handedOver = entries[index].event
            progress.append(report)
        }
        return progress
    }

    /// When the next one is ready; `distantFuture` for none.
    package var nextReady: Instant {
        entries.reduce(.distantFuture) { $1.isTold ? $0 : min($0, $1.ready) }
    }

    /// Nobody wants the cache of this lease.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package mutating func cancel(_ lease: Lease) -> Bool {
        guard let index = entries.firstIndex(where: { $0.lease == lease }) else { return false }
        discarded.append(entries.remove(at: index).event.kvCache)
        return true
    }

    /// The session is over: whatever was left is not asked for any more.
    package mutating func reset() {
        discarded += entries.map(\.event.kvCache)
        entries.removeAll()
    }

    /// Forgets what has been taken, and drops what nobody took in time.
    ///
    /// - Parameter isThere: whether a cache that the broker knows of still lies in the exchange.
    package mutating func tidy(at now: Instant, isThere: (String) -> Bool) {
        entries.removeAll { $0.isTold && !isThere($0.event.kvCache) }
        for entry in entries where entry.ready + Self.keeping <= now { cancel(entry.lease) }
    }

    /// Names of caches to be removed from the exchange.
    package mutating func takeDiscarded() -> [String] {
        defer { discarded.removeAll() }
        return discarded
    }
}
