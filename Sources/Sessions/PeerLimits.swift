/// What a single peer may ask of an endpoint, beyond the sizes in `SessionLimits`.
package struct PeerLimits: Hashable, Sendable {
    /// Sessions at once of one principal; without keys only the endpoint's own bound counts.
    package var sessionsPerPrincipal = 1024
    /// Hellos of one principal, or of all peers together where there are no keys.
    package var hellos = Rate(perSecond: 200, burst: 1024)
    /// Pings, pongs, and cancellations beyond one for each call, in one session.
    package var controls = Rate(perSecond: 500, burst: 4096)
    /// Frames that break the rules of framing, until the session is over.
    package var malformedFrames = 16
    /// Errors sent to peers without a session; what is beyond gets no answer.
    package var refusals = Rate(perSecond: 200, burst: 1024)

    package init() {}
}
