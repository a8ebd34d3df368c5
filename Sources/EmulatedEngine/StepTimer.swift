package import ServingModel

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// What an emulated engine waits with.
package protocol StepTimer {
    /// The time now, on the clock that `wait` means.
    func now() -> Instant

    /// Blocks the calling thread until the deadline; returns at once if it has passed.
    func wait(until deadline: Instant)
}

/// The machine's monotonic clock.
package struct MonotonicTimer: StepTimer, Sendable {
    package init() {}

    package func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package func wait(until deadline: Instant) {
        var time = timespec()
        time.tv_sec = Int(deadline.nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(deadline.nanoseconds % 1_000_000_000)
        // An absolute deadline, so that a signal does not lengthen the wait.
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}
