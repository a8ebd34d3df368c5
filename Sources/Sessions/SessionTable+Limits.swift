package import AccessControl
internal import RecordTables
package import ServingModel

extension SessionTable {
    /// The open session of a connection.
    package func session(on route: Route) -> UInt64? { numbers[route] }

    /// Notes a frame on a session's connection that could not be read.
    ///
    /// - Returns: whether the session may go on.
    package mutating func noteMalformedFrame(in number: UInt64) -> Bool {
        guard let count = sessions[number]?.malformedFrames else { return false }
        sessions[number]?.malformedFrames = count + 1
        return count + 1 < limits.malformedFrames
    }

    /// Notes a ping, a pong, or a cancellation beyond those that calls allow.
    ///
    /// - Returns: whether the session may go on.
    package mutating func noteControl(in number: UInt64, at now: Instant) -> Bool {
        sessions[number]?.controls.take(at: now) ?? false
    }

    /// Notes a cancellation: one for each call there may be at any time, as a gateway's clients may all hang up at once.
    ///
    /// - Returns: whether the session may go on.
    package mutating func noteCancellation(in number: UInt64, at now: Instant) -> Bool {
        guard let place = sessions.place(of: number) else { return false }
        guard sessions[place: place].uncancelledCalls > 0 else { return noteControl(in: number, at: now) }
        sessions[place: place].uncancelledCalls -= 1
        return true
    }

    /// Sessions of principals that `isGood` has nothing good to say about any more, in order of their numbers.
    package func sessions(unless isGood: (Principal) -> Bool) -> [UInt64] {
        sessions.values.filter { $0.principal.map { !isGood($0) } ?? false }.map(\.number).sorted()
    }
}
