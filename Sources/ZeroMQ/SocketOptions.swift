internal import CZeroMQ
package import ServingModel

/// The roles a socket can play.
package enum SocketKind: Sendable {
    /// Bound; talks to many peers and knows them apart by `RoutingID`.
    case router

    /// Connected; talks to one router.
    case dealer

    /// One to one, between threads of a process or in tests.
    case pair

    var type: Int32 {
        switch self {
        case .router: ZMQ_ROUTER
        case .dealer: ZMQ_DEALER
        case .pair: ZMQ_PAIR
        }
    }
}

/// What a socket is told before it binds or connects.
///
/// Start from `broker` or `peer` and change single fields. Intervals are rounded up to whole milliseconds.
package struct SocketOptions: Sendable {
    /// Messages queued for one peer before `send` says `wouldBlock`; 0 for no limit.
    package var sendHighWaterMark = 1000

    /// Messages of one peer queued for `receive` before libzmq stops reading from it; 0 for no limit.
    package var receiveHighWaterMark = 1000

    /// Largest frame taken from a peer, in bytes; a peer that sends a larger one is disconnected.
    ///
    /// libzmq bounds neither the number of frames in a message nor their sum.
    package var maximumFrameBytes = 4 << 20

    /// How long sent messages may outlive `close()`, holding up `Context.terminate()`.
    package var linger = Interval.zero

    /// Time between ZMTP pings; zero for none.
    ///
    /// They find hosts that vanished, not applications that hang, which sessions find sooner.
    package var heartbeatInterval = Interval.seconds(5)

    /// Silence after a ping until the peer counts as gone.
    ///
    /// Long, as a peer in the middle of one large frame looks dead, too: 4 MiB take a minute at 0.5 Mbit/s.
    package var heartbeatTimeout = Interval.seconds(60)

    /// Silence after which the peer is told to give us up; held at 65.5 s, beyond which libzmq overflows (#4226).
    package var heartbeatTimeToLive = Interval.seconds(60)

    /// Time a new connection has for its handshake.
    package var handshakeInterval = Interval.seconds(5)

    /// First pause before connecting again; it doubles up to `reconnectIntervalMaximum`.
    package var reconnectInterval = Interval.milliseconds(100)

    /// Longest pause before connecting again.
    package var reconnectIntervalMaximum = Interval.seconds(10)

    /// How long one attempt to connect may take; zero leaves that to the kernel, which takes minutes for a host that vanished.
    package var connectTimeout = Interval.zero

    /// Refuse to queue messages for a peer that is not connected (yet): `wouldBlock` instead.
    ///
    /// The price: when a dealer's connection breaks, libzmq 4.3.4 throws away what had arrived on it but was not read
    /// yet, a farewell for instance. Without `immediate` such messages can still be read.
    package var immediate = true

    /// Report messages to unknown peers instead of losing them without a word (routers only).
    package var mandatory = true

    /// Connections the kernel keeps waiting to be accepted.
    package var backlog = 1024

    /// Idle time before TCP probes the connection; nil for no probes.
    package var tcpKeepaliveIdle: Interval? = .seconds(60)

    /// Allow IPv6 addresses.
    package var ipv6 = false

    /// Encryption, and who is let in.
    package var security = SocketSecurity.none

    package init() {}

    /// A broker's bound router: frames of 1 MiB at most, nothing lingers.
    package static let broker: SocketOptions = {
        var options = SocketOptions()
        options.maximumFrameBytes = 1 << 20
        return options
    }()

    /// A connected dealer: frames of 4 MiB at most, a second for the last messages to leave.
    package static let peer: SocketOptions = {
        var options = SocketOptions()
        options.linger = .seconds(1)
        // With it, libzmq drops what had arrived but was not read when the connection breaks: a goodbye, a last result.
        // Frames queued for a dead connection are harmless instead: sessions fence them.
        options.immediate = false
        return options
    }()

    /// Sets all options on `socket`.
    func apply(to socket: UnsafeMutableRawPointer, kind: SocketKind) throws(ZeroMQError) {
        let common: [(Int32, String, Int32)] = [
            (ZMQ_SNDHWM, "sendHighWaterMark", Int32(clamping: sendHighWaterMark)),
            (ZMQ_RCVHWM, "receiveHighWaterMark", Int32(clamping: receiveHighWaterMark)),
            (ZMQ_LINGER, "linger", linger.wholeMilliseconds),
            (ZMQ_HEARTBEAT_IVL, "heartbeatInterval", heartbeatInterval.wholeMilliseconds),
            (ZMQ_HEARTBEAT_TIMEOUT, "heartbeatTimeout", heartbeatTimeout.wholeMilliseconds),
            (ZMQ_HEARTBEAT_TTL, "heartbeatTimeToLive", min(heartbeatTimeToLive.wholeMilliseconds, 65_500)),
            (ZMQ_HANDSHAKE_IVL, "handshakeInterval", handshakeInterval.wholeMilliseconds),
            (ZMQ_RECONNECT_IVL, "reconnectInterval", reconnectInterval.wholeMilliseconds),
            (ZMQ_RECONNECT_IVL_MAX, "reconnectIntervalMaximum", reconnectIntervalMaximum.wholeMilliseconds),
            (ZMQ_CONNECT_TIMEOUT, "connectTimeout", connectTimeout.wholeMilliseconds),
            (ZMQ_IMMEDIATE, "immediate", immediate ? 1 : 0),
            (ZMQ_BACKLOG, "backlog", Int32(clamping: backlog)),
            (ZMQ_IPV6, "ipv6", ipv6 ? 1 : 0),
        ]
        for (option, name, value) in common {
            try set(option, name, value, on: socket)
        }
        try set(ZMQ_MAXMSGSIZE, "maximumFrameBytes", Int64(maximumFrameBytes), on: socket)
        try security.apply(to: socket)
        if kind == .router {
            try set(ZMQ_ROUTER_MANDATORY, "mandatory", Int32(mandatory ? 1 : 0), on: socket)
            // A newcomer must not take over a living peer's routing id, and with it its replies.
            try set(ZMQ_ROUTER_HANDOVER, "handover", Int32(0), on: socket)
        }
        if let tcpKeepaliveIdle {
            let seconds = max(1, tcpKeepaliveIdle.wholeMilliseconds / 1000)
            try set(ZMQ_TCP_KEEPALIVE, "tcpKeepaliveIdle", Int32(1), on: socket)
            try set(ZMQ_TCP_KEEPALIVE_IDLE, "tcpKeepaliveIdle", seconds, on: socket)
        }
    }

    private func set(
        _ option: Int32,
        _ name: String,
        _ value: some FixedWidthInteger,
        on socket: UnsafeMutableRawPointer
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(socket, option, &value, MemoryLayout.size(ofValue: value)) == 0 else {
            throw .last("option \(name)")
        }
    }
}

extension Interval {
    /// Rounded up to whole milliseconds, between 0 and what an `int` holds.
    var wholeMilliseconds: Int32 {
        guard nanoseconds > 0 else { return 0 }
        return Int32(clamping: (nanoseconds - 1) / 1_000_000 + 1)
    }
}
