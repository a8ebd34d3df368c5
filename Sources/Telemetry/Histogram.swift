package import ServingModel
internal import Synchronization

/// Counts observations in fixed buckets.
package final class Histogram: Sendable {
    /// A consistent view of a histogram.
    package struct Snapshot: Hashable, Sendable {
        /// Observations at or below each bound and above the one before; one more than bounds, the last for `+Inf`.
        package var counts: [Int]
        package var sum: Double

        package var count: Int { counts.reduce(0, +) }
    }

    let bounds: [Double]
    private let state: Mutex<Snapshot>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    /// Counts one value, in O(log buckets); NaN is ignored, as it would spoil the sum for good.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bucket(of: value)
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    /// Counts a length of time in seconds.
    package func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// Adds what was counted elsewhere.
    ///
    /// - Precondition: it has the same bounds.
    package func add(_ distribution: Distribution) {
        precondition(distribution.bounds == bounds, "other bounds than the histogram's")
        state.withLock { state in
            for (index, count) in distribution.counts.enumerated() { state.counts[index] += Int(clamping: count) }
            state.sum += distribution.sum
        }
    }

    package var snapshot: Snapshot { state.withLock { $0 } }

    /// The first bucket whose bound is not below `value`.
    private func bucket(of value: Double) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
