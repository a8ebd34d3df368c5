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
        case call(session: UInt64, stream: UInt64, method: Method, body: [UInt8])
        case item(session: UInt64, stream: UInt64, method: Method, body: [UInt8])
        case cancel(session: UInt64, stream: UInt64)
        /// The session is over; nothing more comes from it or reaches it.
        case ended(session: UInt64)
    }

    package let address: String
    package let methods: Set<Method>
    package private(set) var malformedFrames: UInt64 = 0
    private let socket: Socket
    private let configuration: SessionConfiguration
    private let brokerName: String
    private let makeSessionNumber: () -> UInt64
    private let logger: Logger
    private var table: SessionTable<RoutingID>
    private var outboxes: [UInt64: Outbox] = [:]
    private var nextHeartbeat = Instant.zero
    private var pendingEnds: [UInt64] = []

    /// Binds the endpoint.
    ///
    /// Call on the loop's thread.
    ///
    /// - Parameters:
    ///   - methods: what may be called here; anything else is answered with `wrongRole`.
    ///   - makeSessionNumber: unique over all endpoints of the broker.
    /// - Throws: `ZeroMQError` if the address is malformed or in use.
    package init(
        address: String,
        methods: Set<Method>,
        brokerName: String,
        configuration: SessionConfiguration,
        makeSessionNumber: @escaping () -> UInt64,
        logger: Logger
    ) throws(ZeroMQError) {
        var options = SocketOptions.broker
        options.maximumFrameBytes = configuration.limits.bodyBytes + 4096
        socket = try Socket(.router, options: options)
        self.address = try socket.bind(address)
        self.methods = methods
        self.brokerName = brokerName
        self.configuration = configuration
        self.makeSessionNumber = makeSessionNumber
        self.logger = logger
        table = SessionTable(timeout: configuration.sessionTimeout, maximumSessions: configuration.maximumSessions)
    }

    package var sessionCount: Int { table.count }

    /// What the peer of a session calls itself.
    package func name(of session: UInt64) -> String { table[session]?.name ?? "" }

    /// Starts delivering input; the handler runs on the loop's thread.
    package func watch(on loop: PollLoop, _ handle: @escaping (Input) -> Void) {
        loop.watch(socket) { [unowned self] in
            let now = PollLoop.now()
            for _ in 0..<256 {
                guard let incoming = socket.receive() else { break }
                if let input = process(incoming, at: now) { handle(input) }
                reportEnds(to: handle)
            }
        }
    }

    /// Heartbeats, expiries and what waits to be sent.
    ///
    /// Call once a cycle.
    package func cycle(at now: Instant, _ handle: (Input) -> Void) -> Instant {
        var isBlocked = false
        for session in outboxes.keys.sorted() where !flush(session) { isBlocked = true }
        if now >= nextHeartbeat {
            nextHeartbeat = now + configuration.heartbeatInterval
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

extension SessionEndpoint {
    private func process(_ incoming: Incoming, at now: Instant) -> Input? {
        guard let route = incoming.from, incoming.excessFrames == 0, (1...2).contains(incoming.frames.count) else {
            malformedFrames += 1
            return nil
        }
        let body = incoming.frames.count == 2 ? incoming.frames[1] : []
        let header: FrameHeader
        do throws(MalformedFrame) {
            header = try FrameHeader(decoding: incoming.frames[0], bodyLength: body.count)
        } catch {
            malformedFrames += 1
            refuse(route, error.status)
            return nil
        }
        guard header.kind != .hello else {
            hello(from: route, body, at: now)
            return nil
        }
        switch table.hear(session: header.session, from: route, at: now) {
        case .refused(let status):
            if header.kind != .goodbye { refuse(route, status) }
            return nil
        case .accepted(let session):
            return dispatch(header, body, of: session)
        }
    }

    private func dispatch(_ header: FrameHeader, _ body: [UInt8], of session: UInt64) -> Input? {
        switch header.kind {
        case .ping:
            _ = transmit(.pong, to: session)
        case .pong:
            break
        case .goodbye:
            end(session, "it said goodbye")
        case .call:
            return open(header, body, in: session)
        case .item where methods.contains(header.method):
            return .item(session: session, stream: header.stream, method: header.method, body: body)
        case .cancel:
            return .cancel(session: session, stream: header.stream)
        case .hello, .welcome, .error, .end, .item:
            violate(session, "a peer must not send frame kind \(header.kind.rawValue) for this method here")
        }
        return nil
    }

    private func open(_ header: FrameHeader, _ body: [UInt8], in session: UInt64) -> Input? {
        guard methods.contains(header.method) else {
            let status = Status(.permissionDenied, .wrongRole, "this method is not served on this endpoint")
            send(.end, method: header.method, stream: header.stream, to: session, body: status.encode())
            return nil
        }
        do throws(Status) {
            try table.open(stream: header.stream, in: session)
        } catch {
            violate(session, error.message)
            return nil
        }
        return .call(session: session, stream: header.stream, method: header.method, body: body)
    }

    private func hello(from route: RoutingID, _ body: [UInt8], at now: Instant) {
        let hello: Hello
        do throws(DecodingFailure) {
            hello = try Hello.decode(body)
        } catch {
            malformedFrames += 1
            refuse(route, Status(.invalidArgument, .malformed, error.description))
            return
        }
        let session = makeSessionNumber()
        do throws(Status) {
            let previous = try table.open(
                number: session,
                route: route,
                name: hello.name,
                software: hello.software,
                at: now
            )
            if let previous { pendingEnds.append(previous) }
        } catch {
            refuse(route, error)
            return
        }
        let welcome = Welcome(
            session: session,
            broker: brokerName,
            heartbeatInterval: configuration.heartbeatInterval,
            sessionTimeout: configuration.sessionTimeout,
            limits: configuration.limits
        )
        logger.debug("session opened", metadata: ["session": "\(session)", "peer": "\(hello.name)"])
        _ = transmit(.welcome, to: session, body: welcome.encode())
    }

    /// Answers a peer that has no session.
    private func refuse(_ route: RoutingID, _ status: Status) {
        let body = status.encode()
        let header = FrameHeader(kind: .error, session: 0, bodyLength: body.count)
        _ = socket.send([header.encode(), body], to: route)
    }

    private func violate(_ session: UInt64, _ message: String) {
        malformedFrames += 1
        let status = Status(.failedPrecondition, .protocolViolation, message)
        _ = transmit(.error, to: session, body: status.encode())
        end(session, message)
    }

    /// Takes the session off the books; the service hears of it after the frame at hand.
    private func end(_ session: UInt64, _ why: String) {
        guard table.close(session) != nil else { return }
        logger.debug("session ended", metadata: ["session": "\(session)", "why": "\(why)"])
        outboxes[session] = nil
        pendingEnds.append(session)
    }

    private func reportEnds(to handle: (Input) -> Void) {
        while !pendingEnds.isEmpty {
            let ends = pendingEnds
            pendingEnds.removeAll()
            for session in ends { handle(.ended(session: session)) }
        }
    }
}

extension SessionEndpoint {
    /// - Returns: false if the peer's outbox is full.
    private func transmit(
        _ kind: FrameKind,
        method: Method = .unspecified,
        stream: UInt64 = 0,
        to session: UInt64,
        body: [UInt8] = []
    ) -> Bool {
        guard let route = table[session]?.route else { return true }
        let header = FrameHeader(
            kind: kind,
            method: method,
            session: session,
            stream: stream,
            bodyLength: body.count
        ).encode()
        if outboxes[session] == nil {
            switch socket.send([header, body], to: route) {
            case .sent:
                return true
            case .unreachable:
                end(session, "its connection is gone")
                return true
            case .wouldBlock:
                outboxes[session] = Outbox(maximumBytes: configuration.outboxBytes)
            }
        }
        // A heartbeat that has to wait says nothing.
        if kind == .ping || kind == .pong { return true }
        return outboxes[session]?.append(Outbox.Frame(header: header, body: body)) ?? true
    }

    /// - Returns: whether everything could be sent.
    private func flush(_ session: UInt64) -> Bool {
        guard let route = table[session]?.route else {
            outboxes[session] = nil
            return true
        }
        while let frame = outboxes[session]?.first {
            switch socket.send([frame.header, frame.body], to: route) {
            case .sent:
                outboxes[session]?.removeFirst()
            case .unreachable:
                end(session, "its connection is gone")
                return true
            case .wouldBlock:
                return false
            }
        }
        outboxes[session] = nil
        return true
    }
}
