internal import AccessControl
internal import Logging
internal import Messages
internal import ServingModel
internal import ZeroMQ

/// Who a peer is, and how much of it is borne.
extension SessionEndpoint {
    /// Ends the sessions of those whose rights are gone; costs next to nothing as long as nothing has changed.
    ///
    /// libzmq asks about a key when a connection begins and never again, so this is what makes a revoked key worthless
    /// on connections that live. It comes before every frame is looked at.
    func checkRights() {
        guard let security, security.table.generation != checkedGeneration else { return }
        checkedGeneration = security.table.generation
        let lost = table.sessions { security.table.active($0.name, as: security.role) == $0 }
        for session in lost {
            let name = table[session]?.principal?.name ?? ""
            logger.notice(
                "session of a revoked or expired key ended",
                metadata: ["session": "\(session)", "key": "\(name)"]
            )
            expel(session, Self.revoked)
        }
    }

    private static let revoked = Status(.unauthenticated, .keyRevoked, "this key was revoked or has expired")

    /// The owner of the key that a hello came with.
    ///
    /// - Throws: a `Status` if the key was revoked since its connection began.
    func principal(named user: String?) throws(Status) -> Principal? {
        guard let security else { return nil }
        guard let user, let principal = security.table.active(user, as: security.role) else { throw Self.revoked }
        return principal
    }

    func countHello(of user: String?, at now: Instant) throws(Status) {
        let isInTime = hellos[user ?? "", default: TokenBucket(configuration.peers.hellos, at: now)].take(at: now)
        guard isInTime else {
            throw Status(.resourceExhausted, .tooFast, "too many hellos", retryAfter: .seconds(1))
        }
    }

    /// - Returns: whether the peer may be told: its session, if it has one, goes on.
    @discardableResult
    func noteMalformedFrame(from route: RoutingID) -> Bool {
        malformedFrames += 1
        guard let session = table.session(on: route), !table.noteMalformedFrame(in: session) else { return true }
        expel(session, Status(.failedPrecondition, .protocolViolation, "too many frames that cannot be read"))
        return false
    }

    /// Ends a session that went too far.
    func expel(_ session: UInt64, _ status: Status) {
        _ = transmit(.error, to: session, body: status.encode())
        end(session, status.message)
    }
}
