internal import DequeModule
package import ServingModel

/// Everything the broker knows of one worker while its session lasts.
package struct WorkerRecord: Sendable {
    package let joined: WorkerJoined
    package internal(set) var isDraining = false
    /// Queries it may take in all since it registered, and those it was sent.
    package internal(set) var granted: UInt64 = 0
    package internal(set) var sent: UInt64 = 0
    /// Placed here and not pulled yet, in order.
    ///
    /// Entries whose query has moved on are skipped when they come up.
    var queue: Deque<QueryNumber> = []
    package internal(set) var queued = 0
    /// What it runs, oldest lease first.
    var leases: [Lease] = []
    package internal(set) var waiting = 0
    package internal(set) var freeKVTokens: Int
    package internal(set) var queriesCompleted: UInt64 = 0
    package internal(set) var outputTokens: UInt64 = 0
    package internal(set) var lastStep: Instant?
    /// Tokens that came ahead of the word on the step that made them; the scheduler hears of both together.
    var untold: [StepCompleted.Advance] = []
    var lastDispatch: Instant?
    /// Whether the end of its session has been asked for.
    var isExpelled = false
    /// Of the queries that it answered.
    package internal(set) var predictions = PredictionErrors()
    /// Whether queries in its queue wait for it to be free of suspects.
    package internal(set) var holdsBack = false
    /// Whether it is among the workers to be fed at the end of this round.
    var isMarked = false

    package var leased: Int { leases.count }

    /// Queries it would take beyond those waiting for it.
    var spare: Int { Int(clamping: granted) - Int(clamping: sent) - queued }

    /// How long it has told of no step: of one that holds queries, at most since it was handed the latest.
    package func quietTime(at now: Instant) -> Interval {
        let told = leases.isEmpty ? lastStep : max(lastStep ?? .zero, lastDispatch ?? .zero)
        return told.map { now - $0 } ?? .zero
    }

    init(joined: WorkerJoined) {
        self.joined = joined
        freeKVTokens = joined.profile.kvCache.capacityTokens
    }

    /// Takes the next query off the queue if it may have one more.
    mutating func nextPlaced() -> QueryNumber? {
        sent < granted ? queue.popFirst() : nil
    }

    mutating func noteDispatch(of lease: Lease, at now: Instant) {
        queued -= 1
        sent += 1
        leases.append(lease)
        lastDispatch = now
    }

    /// A worker that never tells of steps must not make the list grow for ever.
    private static let mostUntold = 4096

    /// Keeps tokens until the step that made them is told.
    mutating func keepUntold(_ advanced: [StepCompleted.Advance]) {
        for advance in advanced {
            if let known = untold.lastIndex(where: { $0.query == advance.query }) {
                untold[known].tokens += advance.tokens
            } else {
                untold.append(advance)
            }
        }
        untold.removeFirst(max(0, untold.count - Self.mostUntold))
    }

    /// All tokens that a step is told with: those that came ahead of it, and its report's own.
    mutating func takeUntold(beside advanced: [StepCompleted.Advance]) -> [StepCompleted.Advance] {
        guard !untold.isEmpty else { return advanced }
        keepUntold(advanced)
        defer { untold.removeAll(keepingCapacity: true) }
        return untold
    }

    /// Leases are handed out in increasing order, so the list is sorted.
    mutating func remove(_ lease: Lease) {
        var low = 0
        var high = leases.count
        while low < high {
            let middle = (low + high) / 2
            if leases[middle] < lease { low = middle + 1 } else { high = middle }
        }
        if low < leases.count, leases[low] == lease { leases.remove(at: low) }
    }
}
