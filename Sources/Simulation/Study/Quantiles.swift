package import ServingModel

/// The median and the tail of some times, by the nearest rank.
///
/// The q-quantile of n values is the ⌈q·n⌉-th smallest: the least value that a share q of them does not exceed. It
/// is always one of the values, so that nothing is made up between two of them.
package struct Quantiles: Hashable, Sendable {
    package var p50: Interval
    package var p90: Interval
    package var p99: Interval

    /// nil without values.
    package init?(_ values: [Interval]) {
        guard !values.isEmpty else { return nil }
        let ascending = values.sorted()
        p50 = Self.quantile(50, of: ascending)
        p90 = Self.quantile(90, of: ascending)
        p99 = Self.quantile(99, of: ascending)
    }

    /// - Parameter percent: 1 to 100; a whole number, as the rank must not depend on how 0.9 is rounded.
    static func quantile(_ percent: Int, of ascending: [Interval]) -> Interval {
        ascending[max(0, (ascending.count * percent + 99) / 100 - 1)]
    }
}
