internal import ServingModel

/// How long the latest decisions took.
struct DecisionTimes: Sendable {
    private static let capacity = 1024

    private var ring: [Int64] = []
    private var next = 0
    private(set) var count: UInt64 = 0

    /// Notes a round in which `decisions` were made together.
    mutating func add(_ time: Interval, decisions: Int) {
        guard decisions > 0 else { return }
        count += UInt64(decisions)
        let each = time.nanoseconds / Int64(decisions)
        if ring.count < Self.capacity {
            ring.append(each)
        } else {
            ring[next] = each
        }
        next = (next + 1) % Self.capacity
    }

    /// A quantile in microseconds, by the nearest rank; 0 if nothing was decided.
    func microseconds(atQuantile share: Double) -> Double {
        guard !ring.isEmpty else { return 0 }
        let sorted = ring.sorted()
        let rank = min(Int((share * Double(sorted.count)).rounded(.up)), sorted.count)
        return Double(sorted[max(rank, 1) - 1]) / 1000
    }
}
