/// A moment on the wall clock, in milliseconds since 1970: what is written down, since instants mean nothing to the
/// next process.
package struct UnixTime: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (left: UnixTime, right: UnixTime) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

/// How instants of this process and the wall clock belong together.
///
/// Read once, at the start: a clock that is set later does not disturb deadlines of a running broker.
package struct WallClock: Hashable, Sendable {
    /// What the wall clock showed at instant zero.
    private let origin: Int64

    /// - Parameters:
    ///   - unixMilliseconds: the wall clock's time now.
    ///   - now: the same moment as an instant.
    package init(unixMilliseconds: Int64, at now: Instant) {
        origin = unixMilliseconds - now.nanoseconds / 1_000_000
    }

    package func unixTime(of instant: Instant) -> UnixTime {
        UnixTime(milliseconds: origin + instant.nanoseconds / 1_000_000)
    }

    /// Times too far away for an instant become the nearest that is one.
    package func instant(of time: UnixTime) -> Instant {
        let (difference, overflowed) = time.milliseconds.subtractingReportingOverflow(origin)
        let limit = Int64.max / 4_000_000
        guard !overflowed else { return Instant(nanoseconds: (time.milliseconds < 0 ? -limit : limit) * 1_000_000) }
        return Instant(nanoseconds: min(max(difference, -limit), limit) * 1_000_000)
    }
}
