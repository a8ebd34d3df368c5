package import Messages
package import ServingModel

/// How long silence is tolerated, and how much may pile up.
package struct SessionConfiguration: Hashable, Sendable {
    package var heartbeatInterval = Interval.seconds(1)
    /// Silence after which a session is over, either way.
    package var sessionTimeout = Interval.seconds(5)
    package var maximumSessions = 4096
    /// Frames that wait for one slow peer; a worker or scheduler that lets more pile up loses its session.
    package var outboxBytes = 64 << 20
    /// Messages that are taken in before others have their turn; fewer where other threads can go on with these meanwhile.
    package var messagesARound = 256
    package var limits = SessionLimits()
    package var peers = PeerLimits()

    package init() {}
}
