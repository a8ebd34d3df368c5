/// A point on one process's monotonic clock, in whole nanoseconds.
///
/// The pure machines never read a clock: every event carries the `Instant` at which it happened. In production that is
/// `CLOCK_MONOTONIC`, in the simulators it is virtual time. Instants of different processes must not be compared, which
/// is why deadlines travel as the time that remains.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let zero = Instant(nanoseconds: 0)
    public static let distantFuture = Instant(nanoseconds: .max)

    /// Seconds since the clock's zero.
    package var seconds: Double { Double(nanoseconds) * 1e-9 }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `interval` later, held at `distantFuture` rather than overflowing.
    public static func + (instant: Instant, interval: Interval) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        guard overflow else { return Instant(nanoseconds: sum) }
        return interval.nanoseconds > 0 ? .distantFuture : Instant(nanoseconds: .min)
    }

    /// The interval from `right` to `left`.
    public static func - (left: Instant, right: Instant) -> Interval {
        Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
    }
}
