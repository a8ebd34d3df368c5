internal import ServingModel

/// What one broker sees of the one that leads, from look to look, and whether it may take over.
///
/// No clocks are compared: a leader counts beats, and whoever watches measures how long the count stands still by its own
/// clock. A leader stops acting when its latest beat that was confirmed is older than its lease, counted from before it
/// was sent; a watcher saw that beat later, and so waits longer.
struct LeaderWatch {
    /// What stands in the row of `leader`.
    struct Look: Equatable {
        /// Empty if there never was a leader.
        var instance: String
        var name: String
        var beat: Int64
        var lease: Interval
        /// It has ended in good order.
        var isReleased: Bool
        /// Whether the server has a session of it.
        var hasSession: Bool
    }

    /// How long a leader without a session may take to come back, which it does after the server was restarted.
    ///
    /// A killed process loses its sessions at once, a host that vanished keeps them until its lease is over.
    static func grace(of lease: Interval) -> Interval {
        min(Interval.seconds(1), Interval(nanoseconds: lease.nanoseconds / 4))
    }

    private(set) var latest: Look?
    private var beatSince: Int64 = 0
    private var goneSince: Int64?

    /// - Parameter now: in nanoseconds of a clock that never stands still.
    mutating func note(_ look: Look, at now: Int64) {
        if look.instance != latest?.instance || look.beat != latest?.beat {
            beatSince = now
            goneSince = nil
        }
        if look.hasSession { goneSince = nil } else if goneSince == nil { goneSince = now }
        latest = look
    }

    /// Nobody could be asked: what was seen before may have changed since.
    mutating func forget() {
        latest = nil
        goneSince = nil
    }

    func mayTakeOver(at now: Int64) -> Bool {
        guard let latest else { return false }
        if latest.isReleased || latest.instance.isEmpty { return true }
        if now - beatSince >= latest.lease.nanoseconds { return true }
        guard let goneSince else { return false }
        return now - goneSince >= Self.grace(of: latest.lease).nanoseconds
    }
}
