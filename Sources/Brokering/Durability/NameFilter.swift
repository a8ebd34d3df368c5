internal import ServingModel

/// Which names (idempotency keys) the journal may know, by their fingerprints: others are new for certain.
///
/// It forgets what is older than the journal keeps, and what is further back than the journal has results, so that its
/// size is that of what came within two such times, and of two such numbers at most.
struct NameFilter: Sendable {
    /// Every fingerprint is remembered for so long at least, and for twice as long at most.
    private let retention: Interval
    /// So many of the latest fingerprints are remembered at least, unless they are older than `retention`.
    private let capacity: Int
    private var recent: Set<UInt64>
    private var older: Set<UInt64> = []
    private var begun: Instant

    init(_ fingerprints: Set<UInt64> = [], retention: Interval, capacity: Int, at now: Instant) {
        recent = fingerprints
        self.capacity = max(capacity, 1)
        self.retention = retention
        begun = now
    }

    var count: Int { recent.count + older.count }

    func contains(_ fingerprint: UInt64) -> Bool {
        recent.contains(fingerprint) || older.contains(fingerprint)
    }

    mutating func insert(_ fingerprint: UInt64, at now: Instant) {
        if begun + retention <= now {
            older = begun + retention + retention <= now ? [] : recent
            recent = []
            begun = now
        } else if recent.count >= capacity {
            older = recent
            recent = []
            begun = now
        }
        recent.insert(fingerprint)
    }
}
