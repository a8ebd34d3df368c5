package import Logging
package import Messages
package import ServingModel
package import ZeroMQ

/// A client's, worker's or scheduler's end of a session: says hello, keeps the session alive, starts over when it is lost.
///
/// Confined to its poll loop's thread. Whoever owns it hears of `opened`, frames and `lost`, and calls `cycle` once a
/// cycle. Streams do not survive a session; the owner decides what to do about them.
package final class PeerConnection {
    package enum Event {
        case opened(Welcome)
        case frame(FrameHeader, body: [UInt8])
        /// The session is over; a new one is being sought.
        case lost(Status)
    }

    private enum State {
        case closed
        /// Waits to try again.
        case waiting(until: Instant)
        /// Connects, and says hello as soon as that is possible.
        case greeting(until: Instant, isSent: Bool)
        case open(session: UInt64, interval: Interval, timeout: Interval)
    }

    private let address: String
    private let hello: Hello
    private let keys: PeerKeys?
    private let logger: Logger
    private let outboxBytes: Int
    private var state = State.closed
    private var socket: Socket?
    private var outbox: Outbox
    private var lastHeard = Instant.zero
    private var lastSent = Instant.zero
    private var failures = 0
    private var loop: PollLoop?
    private var handle: ((Event) -> Void)?

    /// - Parameter keys: for a broker that wants to know who comes; nil for one that does not.
    package init(
        address: String,
        hello: Hello,
        keys: PeerKeys? = nil,
        outboxBytes: Int = 64 << 20,
        logger: Logger
    ) {
        self.address = address
        self.hello = Hello(software: hello.software, name: hello.name, takesBundles: true)
        self.keys = keys
        self.outboxBytes = outboxBytes
        self.logger = logger
        outbox = Outbox(maximumBytes: outboxBytes)
    }

    package var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// Connects and greets.
    ///
    /// The handler runs on the loop's thread.
    ///
    /// - Throws: `ZeroMQError` if the address is malformed; a broker that is not there yet is no error.
    package func start(on loop: PollLoop, _ handle: @escaping (Event) -> Void) throws(ZeroMQError) {
        self.loop = loop
        self.handle = handle
        try greet(at: PollLoop.now())
    }

    /// Sends a frame of the open session, or keeps it until there is room.
    ///
    /// - Returns: false if there is no session or too much waits already; the frame is dropped then.
    @discardableResult
    package func send(_ kind: FrameKind, method: Method, stream: UInt64, body: [UInt8] = []) -> Bool {
        guard case .open(let session, _, _) = state, let socket else { return false }
        let header = FrameHeader(kind: kind, method: method, session: session, stream: stream, bodyLength: body.count)
        lastSent = PollLoop.now()
        if outbox.isEmpty, case .sent = socket.send([header.encode(), body], to: nil) { return true }
        return outbox.append(Outbox.Frame(header: header.encode(), body: body))
    }

    /// Heartbeats, expiry, and what waits to be sent.
    ///
    /// - Returns: when to call again at the latest.
    package func cycle(at now: Instant) -> Instant {
        switch state {
        case .closed:
            return .distantFuture
        case .waiting(let until):
            guard now >= until else { return until }
            do throws(ZeroMQError) {
                try greet(at: now)
            } catch {
                logger.error("cannot connect", metadata: ["error": "\(error)"])
                state = .waiting(until: now + .seconds(5))
            }
            return now + .milliseconds(10)
        case .greeting(let until, let isSent):
            if now >= until { lose(Status(.unavailable, .none, silence), at: now) }
            guard !isSent else { return until }
            sayHello()
            return now + .milliseconds(10)
        case .open(_, let interval, let timeout):
            if now >= lastHeard + timeout {
                lose(Status(.unavailable, .sessionExpired, "the broker at \(address) fell silent"), at: now)
                return now
            }
            if !flush() { return now + .milliseconds(5) }
            if now >= lastSent + interval { send(.ping, method: .unspecified, stream: 0) }
            return min(lastSent + interval, lastHeard + timeout)
        }
    }

    /// A key that is refused shows as silence.
    private var silence: String {
        "the broker at \(address) does not answer" + (keys == nil ? "" : ", or does not let this key in")
    }

    /// Ends the session in good order and closes the socket.
    package func close(_ status: Status = .ok) {
        if isOpen { send(.goodbye, method: .unspecified, stream: 0, body: status.encode()) }
        closeSocket()
        state = .closed
        handle = nil
    }

    /// Gives the session up and seeks a new one.
    package func restart(_ status: Status) {
        guard isOpen else { return }
        send(.goodbye, method: .unspecified, stream: 0, body: status.encode())
        lose(status, at: PollLoop.now())
    }

    private func greet(at now: Instant) throws(ZeroMQError) {
        guard let loop else { return }
        closeSocket()
        var options = SocketOptions.peer
        if let keys { options.security = .client(keys) }
        let socket = try Socket(.dealer, options: options)
        try socket.connect(address)
        self.socket = socket
        loop.watch(socket) { [unowned self] in receive() }
        outbox = Outbox(maximumBytes: outboxBytes)
        state = .greeting(until: now + .seconds(5), isSent: false)
        sayHello()
    }

    /// Nothing is queued into a connection that does not stand yet, so the hello may have to be tried several times.
    private func sayHello() {
        guard case .greeting(let until, false) = state, let socket else { return }
        let body = hello.encode()
        let header = FrameHeader(kind: .hello, session: 0, bodyLength: body.count)
        if case .sent = socket.send([header.encode(), body], to: nil) {
            state = .greeting(until: until, isSent: true)
        }
    }

    private func receive() {
        for _ in 0..<256 {
            guard let incoming = socket?.receive() else { return }
            guard incoming.excessFrames == 0, (1...2).contains(incoming.frames.count) else { continue }
            let body = incoming.frames.count == 2 ? incoming.frames[1] : []
            guard let header = try? FrameHeader(decoding: incoming.frames[0], bodyLength: body.count) else {
                logger.warning("the broker sent a frame that cannot be read")
                continue
            }
            lastHeard = PollLoop.now()
            take(header, body)
        }
    }

    private func take(_ header: FrameHeader, _ body: [UInt8]) {
        switch (header.kind, state) {
        case (.welcome, .greeting):
            guard let welcome = try? Welcome.decode(body) else { return }
            failures = 0
            state = .open(
                session: welcome.session,
                interval: max(welcome.heartbeatInterval, .milliseconds(10)),
                timeout: max(welcome.sessionTimeout, .milliseconds(50))
            )
            handle?(.opened(welcome))
        case (.error, .greeting), (.error, .open), (.goodbye, .open):
            let status = (try? Status.decode(body)) ?? Status(.unavailable, .malformed, "the broker ended the session")
            lose(status, at: PollLoop.now())
        case (.ping, .open):
            send(.pong, method: .unspecified, stream: 0)
        case (.item, .open(let session, _, _)), (.end, .open(let session, _, _)):
            if header.session == session { handle?(.frame(header, body: body)) }
        case (.bundle, .open(let session, _, _)):
            takeBundle(body, of: session)
        default:
            break
        }
    }

    private func takeBundle(_ body: [UInt8], of session: UInt64) {
        do throws(MalformedFrame) {
            // Whoever hears of a frame may end the session, and then the rest is of no interest.
            try FrameBundle.split(body) { if $0.session == session { take($0, $1) } }
        } catch {
            logger.warning("the broker sent a bundle that cannot be read")
        }
    }

    private func lose(_ status: Status, at now: Instant) {
        failures += 1
        // Once for each time of trouble; what comes of it is the owner's to tell.
        if failures == 2 { logger.notice("no session with the broker yet", metadata: ["why": "\(status.message)"]) }
        closeSocket()
        let backoff = Interval.milliseconds(min(100 << min(failures, 6), 5000))
        state = .waiting(until: now + backoff)
        handle?(.lost(status))
    }

    /// - Returns: whether everything could be sent.
    private func flush() -> Bool {
        while let frame = outbox.first {
            guard case .sent? = socket?.send([frame.header, frame.body], to: nil) else { return false }
            outbox.removeFirst()
        }
        return true
    }

    private func closeSocket() {
        guard let socket else { return }
        loop?.unwatch(socket)
        socket.close()
        self.socket = nil
    }
}
