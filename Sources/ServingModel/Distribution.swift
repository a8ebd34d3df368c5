/// How many values fell into each of some ranges, and their sum.
package struct Distribution: Hashable, Sendable {
    /// The ranges' upper bounds, inclusive, rising; one more range has none.
    package let bounds: [Double]
    /// Values in each range; one more than bounds.
    package private(set) var counts: [UInt64]
    package private(set) var sum = 0.0

    /// - Precondition: bounds rise.
    package init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds do not rise")
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: UInt64 { counts.reduce(0, +) }

    /// Counts one value, in O(log ranges).
    package mutating func add(_ value: Double) {
        guard !value.isNaN else { return }
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        counts[low] += 1
        sum += value
    }

    /// Counts a length of time, in seconds.
    package mutating func add(_ interval: Interval) {
        add(interval.seconds)
    }
}

/// Bounds that suit what is measured.
extension Distribution {
    /// From a millisecond to ten minutes: times to the first token, waits, whole answers.
    package static let waitBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600,
    ]

    /// From a tenth of a millisecond to ten seconds: times between tokens, and of steps.
    package static let tokenTimeBounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10,
    ]

    /// From one to 65,536, doubling: sizes of batches.
    package static let sizeBounds: [Double] = (0...16).map { Double(1 << $0) }

    /// From 50 µs to 10 s: a disk's syncs.
    package static let syncBounds: [Double] = [
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
    ]
}
