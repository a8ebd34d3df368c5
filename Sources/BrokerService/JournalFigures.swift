internal import ServingModel

/// How the journal keeps up.
struct JournalFigures: Sendable {
    private(set) var commitTime = Distribution(bounds: Distribution.syncBounds)
    private(set) var commitRecords = Distribution(bounds: Distribution.sizeBounds)
    private var durable: UInt64 = 0

    /// Notes a group after which the first `count` records are durable.
    mutating func note(_ count: UInt64, took: Interval) {
        guard count > durable else { return }
        commitTime.add(took)
        commitRecords.add(Double(count - durable))
        durable = count
    }
}
