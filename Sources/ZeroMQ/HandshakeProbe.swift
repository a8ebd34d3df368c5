internal import CZeroMQ
package import ServingModel
internal import Synchronization

/// Finds out whether a secured socket lets the owner of some keys in, by trying.
package enum HandshakeProbe {
    package enum Outcome: Hashable, Sendable {
        case accepted
        /// The key checker said no.
        case refused
        /// The connection broke in the handshake: another server key, or no CURVE at the other end.
        case failed
        /// Nobody listens, or nobody answers in time.
        case silence
    }

    private static let number = Atomic<UInt64>(0)

    /// Connects, waits for the end of the handshake and disconnects.
    ///
    /// Blocks the calling thread, for `patience` at most.
    ///
    /// - Throws: `ZeroMQError` if `endpoint` is not one.
    package static func outcome(
        at endpoint: String,
        with keys: PeerKeys,
        patience: Interval = .seconds(2),
        context: Context = .shared
    ) throws(ZeroMQError) -> Outcome {
        var options = SocketOptions.peer
        options.linger = .zero
        options.security = .client(keys)
        let socket = try Socket(.dealer, options: options, context: context)
        defer { socket.close() }
        // A monitor must have a reader as long as it lives, or libzmq's own threads wait for one.
        let name = "inproc://aladdin.probe.\(number.add(1, ordering: .relaxed).newValue)"
        guard zmq_socket_monitor(socket.open(), name, Int32(ZMQ_EVENT_ALL)) == 0 else { throw .last("monitor") }
        let reader = try context.makeSocket(ZMQ_PAIR)
        defer {
            zmq_socket_monitor(socket.open(), nil, 0)
            zmq_close(reader)
        }
        guard zmq_connect(reader, name) == 0 else { throw .last("monitor") }
        try socket.connect(endpoint)
        return wait(for: reader, until: PollLoop.now() + patience)
    }

    private static func wait(for reader: UnsafeMutableRawPointer, until end: Instant) -> Outcome {
        while true {
            var item = zmq_pollitem_t(socket: reader, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
            let left = (end - PollLoop.now()).wholeMilliseconds
            guard left > 0 else { return .silence }
            guard zmq_poll(&item, 1, Int(left)) > 0, let event = ZAPFrames.receive(from: reader)?.first,
                event.count >= 2
            else { continue }
            switch Int32(event[0]) | Int32(event[1]) << 8 {
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .accepted
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .refused
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_DISCONNECTED:
                return .failed
            default: continue
            }
        }
    }
}
