package import AccessControl
internal import RecordTables
package import ServingModel

/// The broker's end of all sessions on one endpoint, as a pure machine: who is there, who has fallen silent.
///
/// Sessions are numbered by the shell, over all endpoints, so a number alone says which endpoint it belongs to.
package struct SessionTable<Route: Hashable & Sendable>: Sendable {
    package struct Session: Hashable, Sendable {
        package let number: UInt64
        package let route: Route
        package let name: String
        package let software: String
        /// Whose key it was opened with; nil where there are no keys.
        package let principal: Principal?
        package internal(set) var lastHeard: Instant
        /// The same without what is only on its way.
        var lastFrame: Instant
        /// Highest stream number that the peer has opened.
        package internal(set) var highestStream: UInt64 = 0
        /// Frames that were no frames.
        var malformedFrames = 0
        /// Calls that were opened and not cancelled yet, whether they have ended or not.
        var uncancelledCalls = 0
        var controls: TokenBucket
    }

    /// What to do with a frame, given where it came from.
    package enum Verdict: Hashable, Sendable {
        case accepted(session: UInt64)
        /// Answer with an error; the peer has to start over with a hello.
        case refused(Status)
    }

    var sessions = RecordTable<UInt64, Session>()
    private(set) var numbers: [Route: UInt64] = [:]
    private var countsByPrincipal: [String: Int] = [:]
    private let timeout: Interval
    private let maximumSessions: Int
    let limits: PeerLimits

    package init(timeout: Interval, maximumSessions: Int, limits: PeerLimits = PeerLimits()) {
        self.timeout = timeout
        self.maximumSessions = maximumSessions
        self.limits = limits
    }

    package var count: Int { sessions.count }

    package subscript(number: UInt64) -> Session? { sessions[number] }

    func principal(of number: UInt64) -> Principal? {
        sessions.place(of: number).flatMap { sessions[place: $0].principal }
    }

    func route(of number: UInt64) -> Route? { sessions.place(of: number).map { sessions[place: $0].route } }

    /// Opens a session for a peer that said hello.
    ///
    /// - Returns: the number of the session that the same route had before, which is over now, if any.
    /// - Throws: a `Status` if there are too many.
    package mutating func open(
        number: UInt64,
        route: Route,
        name: String,
        software: String,
        principal: Principal? = nil,
        at now: Instant
    ) throws(Status) -> UInt64? {
        let previous = numbers[route]
        guard previous != nil || sessions.count < maximumSessions else {
            throw Status(.resourceExhausted, .tooManySessions, "too many sessions", retryAfter: .seconds(5))
        }
        let own = principal.flatMap { countsByPrincipal[$0.name] } ?? 0
        guard previous != nil || own < limits.sessionsPerPrincipal else {
            throw Status(
                .resourceExhausted,
                .tooManySessions,
                "this key has \(limits.sessionsPerPrincipal) sessions already",
                retryAfter: .seconds(5)
            )
        }
        if let previous { close(previous) }
        sessions[number] = Session(
            number: number,
            route: route,
            name: name,
            software: software,
            principal: principal,
            lastHeard: now,
            lastFrame: now,
            controls: TokenBucket(limits.controls, at: now)
        )
        numbers[route] = number
        if let principal { countsByPrincipal[principal.name, default: 0] += 1 }
        return previous
    }

    /// Checks that a frame's session is alive and its sender's own, and notes the sign of life.
    ///
    /// - Parameter user: whose key the frame came with; nil where there are no keys.
    package mutating func hear(
        session number: UInt64,
        from route: Route,
        user: String? = nil,
        at now: Instant
    ) -> Verdict {
        guard let place = sessions.place(of: number), sessions[place: place].route == route,
            sessions[place: place].principal?.name == user
        else {
            return .refused(Status(.failedPrecondition, .staleSession, "no such session; say hello again"))
        }
        sessions[place: place].lastHeard = now
        sessions[place: place].lastFrame = now
        return .accepted(session: number)
    }

    /// How long one frame may be on its way while its bytes arrive.
    private static var longestFrame: Interval { .seconds(60) }

    /// Sessions from which nothing has come for `patience`: their next frame may be a large one.
    func quiet(for patience: Interval, at now: Instant) -> [UInt64] {
        sessions.values.filter { $0.lastFrame + patience <= now }.map(\.number).sorted()
    }

    /// Bytes of a frame arrive, which is a sign of life, within bounds.
    mutating func noteArrival(in number: UInt64, at now: Instant) {
        guard let session = sessions[number], now < session.lastFrame + Self.longestFrame else { return }
        sessions[number]?.lastHeard = now
    }

    /// Notes that a stream was opened.
    ///
    /// - Throws: a `Status` if its number is not higher than all before.
    package mutating func open(stream: UInt64, in number: UInt64) throws(Status) {
        guard let place = sessions.place(of: number), stream > sessions[place: place].highestStream else {
            throw Status(.failedPrecondition, .protocolViolation, "stream numbers must increase, from 1")
        }
        sessions[place: place].highestStream = stream
        sessions[place: place].uncancelledCalls += 1
    }

    @discardableResult
    package mutating func close(_ number: UInt64) -> Session? {
        guard let session = sessions.removeValue(forKey: number) else { return nil }
        if let name = session.principal?.name, let count = countsByPrincipal[name] {
            countsByPrincipal[name] = count > 1 ? count - 1 : nil
        }
        if numbers[session.route] == number { numbers[session.route] = nil }
        return session
    }

    /// Sessions that have been silent too long, in order of their numbers.
    ///
    /// They stay open until closed.
    package func expired(at now: Instant) -> [UInt64] {
        sessions.values.filter { $0.lastHeard + timeout <= now }.map(\.number).sorted()
    }

    /// Open sessions in order of their numbers.
    package var openNumbers: [UInt64] { sessions.keys.sorted() }
}
