/// A length of time in whole nanoseconds.
///
/// The standard `Duration` counts attoseconds in 128 bits; the scheduler's arithmetic runs on every token of a fleet and
/// the worker model is specified in signed 64-bit nanoseconds, so the vocabulary has its own narrow type.
public struct Interval: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let zero = Interval(nanoseconds: 0)

    public static func milliseconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count * 1_000_000)
    }

    public static func seconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count * 1_000_000_000)
    }

    /// Rounds to the nearest nanosecond, halves away from zero (C's `llround`).
    ///
    /// - Precondition: `count` is finite and its nanoseconds fit in 64 bits. Check values from outside with `init(validatingMilliseconds:)`.
    public static func seconds(rounding count: Double) -> Interval {
        Interval(nanoseconds: Int64((count * 1e9).rounded(.toNearestOrAwayFromZero)))
    }

    /// An interval from a number that came from outside, or nil if it is NaN, infinite, negative or beyond 146 years.
    public init?(validatingMilliseconds count: Double) {
        guard count.isFinite, count >= 0, count < 4.6e12 else { return nil }
        self.init(nanoseconds: Int64((count * 1e6).rounded(.toNearestOrAwayFromZero)))
    }

    public var seconds: Double { Double(nanoseconds) / 1e9 }
    public var milliseconds: Double { Double(nanoseconds) / 1e6 }

    public static func < (left: Interval, right: Interval) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public static func + (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds + right.nanoseconds)
    }

    public static func - (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
}
