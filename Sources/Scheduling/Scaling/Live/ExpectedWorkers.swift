internal import ServingModel

/// Workers that were wished for and are not there yet, and how long the ones before took to come.
///
/// Nobody tells the scheduler that a worker is being started; it sees its own wishes, and who joins. So the time it
/// learns is from the wish to the first query that could run: what a forecast has to look ahead.
struct ExpectedWorkers: Sendable {
    /// After this a wish that nobody followed is no reason to wait any longer.
    private static let patience = Interval.seconds(600)

    /// When each was wished for, the oldest first.
    private var wished: [Instant] = []
    /// Start-up times that nobody has asked for yet.
    private var learnt: [Interval] = []

    var count: Int { wished.count }

    /// Notes that there should be `missing` more workers than there are.
    mutating func expect(_ missing: Int, at now: Instant) {
        wished.removeAll { now - $0 > Self.patience }
        let missing = max(0, missing)
        // Taken back are the latest wishes: they are the least far.
        if wished.count > missing { wished.removeLast(wished.count - missing) }
        while wished.count < missing { wished.append(now) }
    }

    /// Notes that a worker has joined; one that nobody wished for says nothing about how long it takes.
    mutating func joined(at now: Instant) {
        guard !wished.isEmpty else { return }
        learnt.append(now - wished.removeFirst())
    }

    mutating func takeStartUpTimes() -> [Interval] {
        defer { learnt = [] }
        return learnt
    }
}
