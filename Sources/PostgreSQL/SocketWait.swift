internal import Glibc
internal import ServingModel

/// Waits for a socket, with a word to whoever waits every 50 ms.
struct SocketWait {
    private let descriptor: CInt
    private let events: CInt

    init(_ descriptor: CInt, isWriting: Bool, isReading: Bool = true) {
        self.descriptor = descriptor
        events = (isWriting ? POLLOUT : 0) | (isReading ? POLLIN : 0)
    }

    /// Returns when there is something to do, or 50 ms later for another look.
    func once(since begun: Int64, _ whileWaiting: PostgreSQLConnection.Waiting) throws(PostgreSQLError) {
        var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        guard poll(&watched, 1, 50) == 0 else { return }
        try whileWaiting(Interval(nanoseconds: MonotonicTime.now() - begun))
    }
}

/// Time that goes on while the machine sleeps, in nanoseconds.
package enum MonotonicTime {
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
