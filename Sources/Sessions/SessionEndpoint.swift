package import AccessControl
package import Logging
package import Messages
package import ServingModel
package import ZeroMQ

/// The broker's end of one endpoint: a bound ROUTER socket and the sessions on it.
///
/// Confined to its poll loop's thread. It answers hellos, pings and malformed frames itself, ends sessions that fall
/// silent or vanish, and passes on calls, items and cancellations of living sessions.
package final class SessionEndpoint {
    /// What reaches the service behind the endpoint.
    package enum Input {
        case call(session: UInt64, stream: UInt64, method: Method, body: FrameBody)
        case item(session: UInt64, stream: UInt64, method: Method, body: FrameBody)
        case cancel(session: UInt64, stream: UInt64)
        /// The session is over; nothing more comes from it or reaches it.
        case ended(session: UInt64)
    }

    package let address: String
    package let methods: Set<Method>
    package internal(set) var malformedFrames: UInt64 = 0
    let socket: Socket
    let configuration: SessionConfiguration
    /// What those are told who say hello from now on.
    package var limits: SessionLimits
    /// Nil where anybody may come.
    let security: EndpointSecurity?
    let brokerName: String
    let makeSessionNumber: () -> UInt64
    let logger: Logger
    var table: SessionTable<RoutingID>
    var outboxes: [UInt64: Outbox] = [:]
    /// What is to leave at the end of the round, of the sessions that take bundles.
    var bundles: [UInt64: FrameBundle] = [:]
    /// The same for sessions with peers of the same process.
    var handovers: [UInt64: [HandedFrame]] = [:]
    /// Those of both kinds that have something, in the order in which they got it.
    var filledBundles: [UInt64] = []
    /// What arrives before it is a frame, of sessions over TCP.
    var arrivals: [UInt64: ArrivalWatch] = [:]
    private var nextHeartbeat = Instant.zero
    var pendingEnds: [UInt64] = []
    /// The state of everybody's rights that the sessions were last checked against.
    var checkedGeneration: UInt64 = 0
    var hellos: [String: TokenBucket] = [:]
    var refusals: TokenBucket

    /// Binds the endpoint.
    ///
    /// Call on the loop's thread.
    ///
    /// - Parameters:
    ///   - methods: what may be called here; anything else is answered with `wrongRole`.
    ///   - security: how peers are known; the process's `ZAPHandler` must ask the same table.
    ///   - makeSessionNumber: unique over all endpoints of the broker.
    /// - Throws: `ZeroMQError` if the address is malformed or in use.
    package init(
        address: String,
        methods: Set<Method>,
        brokerName: String,
        configuration: SessionConfiguration,
        security: EndpointSecurity? = nil,
        makeSessionNumber: @escaping () -> UInt64,
        logger: Logger
    ) throws(ZeroMQError) {
        var options = SocketOptions.broker
        options.maximumFrameBytes = configuration.limits.bodyBytes + 4096
        if let security { options.security = security.socketSecurity }
        socket = try Socket(.router, options: options)
        self.address = try socket.bind(address)
        self.methods = methods
        self.brokerName = brokerName
        self.configuration = configuration
        limits = configuration.limits
        self.security = security
        self.makeSessionNumber = makeSessionNumber
        self.logger = logger
        table = SessionTable(
            timeout: configuration.sessionTimeout,
            maximumSessions: configuration.maximumSessions,
            limits: configuration.peers
        )
        refusals = TokenBucket(configuration.peers.refusals, at: PollLoop.now())
    }

    /// Listens at a further address, for peers in the same process.
    ///
    /// - Precondition: the endpoint asks nobody for a key, since libzmq has none to ask for there.
    package func bindInside(_ address: String) throws(ZeroMQError) -> String {
        precondition(security == nil, "whoever comes from inside has no key")
        return try socket.bind(address)
    }

    package var sessionCount: Int { table.count }

    /// What the peer of a session calls itself.
    package func name(of session: UInt64) -> String { table[session]?.name ?? "" }

    /// Whose key a session was opened with; nil without keys, and for a session that is over.
    package func principal(of session: UInt64) -> Principal? { table.principal(of: session) }

    /// Starts delivering input; the handler runs on the loop's thread.
    package func watch(on loop: PollLoop, _ handle: @escaping (Input) -> Void) {
        loop.watch(socket) { [unowned self] in
            let now = PollLoop.now()
            for _ in 0..<configuration.messagesARound {
                guard let incoming = socket.receive() else { break }
                process(incoming, at: now, handle)
                reportEnds(to: handle)
            }
        }
    }

    /// Heartbeats, expiries and what waits to be sent.
    ///
    /// Call once a cycle.
    package func cycle(at now: Instant, _ handle: (Input) -> Void) -> Instant {
        checkRights()
        flushBundles()
        var isBlocked = false
        for session in outboxes.keys.sorted() where !flush(session) { isBlocked = true }
        if now >= nextHeartbeat {
            nextHeartbeat = now + configuration.heartbeatInterval
            watchArrivals(at: now)
            for session in table.expired(at: now) { end(session, "it fell silent") }
            for session in table.openNumbers { _ = transmit(.ping, to: session) }
        }
        reportEnds(to: handle)
        return isBlocked ? min(nextHeartbeat, now + .milliseconds(5)) : nextHeartbeat
    }

    /// Whether a frame sent now would leave at once, as far as is known.
    package func hasRoom(_ session: UInt64) -> Bool { outboxes[session] == nil }

    /// Sends a frame, or keeps it until the peer has room.
    ///
    /// A peer that lets too much pile up loses its session.
    package func send(_ kind: FrameKind, method: Method, stream: UInt64, to session: UInt64, body: [UInt8]) {
        if collect(kind, method: method, stream: stream, to: session, { .bytes(body) }) { return }
        // What is large is not copied once more to save a frame.
        if body.count <= Self.largestBundledBody,
            bundle(kind, method: method, stream: stream, to: session, { $0 += body })
        {
            return
        }
        guard transmit(kind, method: method, stream: stream, to: session, body: body) else {
            end(session, "it does not read what it is sent")
            return
        }
    }

    private static let largestBundledBody = 8 << 10

    /// The same for a message, which a peer of the same process gets as it is.
    package func send(
        _ kind: FrameKind,
        method: Method,
        stream: UInt64,
        to session: UInt64,
        _ message: some WireMessage
    ) {
        if message.travelsAsValue,
            collect(kind, method: method, stream: stream, to: session, { .message(message) })
        {
            return
        }
        send(kind, method: method, stream: stream, to: session, body: message.encode())
    }

    /// The same for an event, of which there are many: its bytes are written where they are needed.
    ///
    /// With sessions that take bundles it leaves with `flushBundles`.
    package func send(
        _ kind: FrameKind,
        method: Method,
        stream: UInt64,
        to session: UInt64,
        _ event: GenerateEvent
    ) {
        if collect(kind, method: method, stream: stream, to: session, { .message(event) }) { return }
        if bundle(kind, method: method, stream: stream, to: session, event.append(to:)) { return }
        var body: [UInt8] = []
        event.append(to: &body)
        guard transmit(kind, method: method, stream: stream, to: session, body: body) else {
            end(session, "it does not read what it is sent")
            return
        }
    }

    /// Ends every session with a goodbye and closes the socket.
    package func close(_ status: Status) {
        for session in table.openNumbers {
            _ = transmit(.goodbye, to: session, body: status.encode())
        }
        socket.close()
    }

    /// Ends one session.
    package func dismiss(_ session: UInt64, _ status: Status) {
        _ = transmit(.goodbye, to: session, body: status.encode())
        end(session, status.message)
    }
}
