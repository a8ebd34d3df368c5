internal import CZeroMQ

/// Who may be at the other end of a socket, and how that is known.
package enum SocketSecurity: Sendable {
    /// Anybody, in the clear.
    case none

    /// A bound socket that takes only peers whose key the process's `ZAPHandler` accepts for `domain`.
    ///
    /// Without a living handler nobody gets in.
    case server(CurveSecretKey, domain: String)

    /// A socket that connects to the owner of one key, with keys of its own.
    case client(PeerKeys)
}

extension SocketSecurity {
    /// `ZMQ_ZAP_ENFORCE_DOMAIN`: a socket with a domain and no handler lets nobody in, instead of everybody.
    ///
    /// The header declares it as a draft only; the library has it nonetheless, and says so if it has not.
    private static let zapEnforceDomain: Int32 = 93

    var isServer: Bool {
        if case .server = self { true } else { false }
    }

    /// Sets the options; each must be taken, or the socket is not to be used.
    func apply(to socket: UnsafeMutableRawPointer) throws(ZeroMQError) {
        switch self {
        case .none:
            return
        case .server(let secretKey, let domain):
            precondition(!domain.isEmpty, "libzmq asks nobody about a socket without a domain")
            try Self.set(ZMQ_CURVE_SERVER, "curveServer", 1, on: socket)
            try Self.set(ZMQ_CURVE_SECRETKEY, "curveSecretKey", secretKey.bytes, on: socket)
            try Self.set(ZMQ_ZAP_DOMAIN, "zapDomain", Array(domain.utf8), on: socket)
            try Self.set(Self.zapEnforceDomain, "zapEnforceDomain", 1, on: socket)
        case .client(let keys):
            try Self.set(ZMQ_CURVE_SERVERKEY, "curveServerKey", keys.server.bytes, on: socket)
            try Self.set(ZMQ_CURVE_PUBLICKEY, "curvePublicKey", keys.own.publicKey.bytes, on: socket)
            try Self.set(ZMQ_CURVE_SECRETKEY, "curveSecretKey", keys.own.secretKey.bytes, on: socket)
        }
    }

    private static func set(
        _ option: Int32,
        _ name: String,
        _ bytes: [UInt8],
        on socket: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        guard zmq_setsockopt(socket, option, bytes, bytes.count) == 0 else { throw .last("option \(name)") }
    }

    private static func set(
        _ option: Int32,
        _ name: String,
        _ value: Int32,
        on socket: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size) == 0 else {
            throw .last("option \(name)")
        }
    }
}
