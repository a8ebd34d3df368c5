package import Logging
package import Messages
package import ServingModel
package import ZeroMQ

/// A client's, worker's or scheduler's end of a session: says hello, keeps the session alive, starts over when it is lost.
///
/// Of several brokers only the one that leads answers. So all are greeted at once, and the first welcome counts; and
/// when the broker falls silent the others are greeted while its session still stands, which ends with a welcome from
/// one of them.
///
/// Confined to its poll loop's thread. Whoever owns it hears of `opened`, frames and `lost`, and calls `cycle` once a
/// cycle. Streams do not survive a session; the owner decides what to do about them.
package final class PeerConnection {
    package enum Event {
        case opened(Welcome)
        case frame(FrameHeader, body: FrameBody)
        /// The session is over; a new one is being sought.
        case lost(Status)
    }

    enum State {
        case closed
        /// Waits to try again.
        case waiting(until: Instant)
        /// Connects, and says hello as soon as that is possible.
        case greeting(until: Instant)
        case open(session: UInt64, interval: Interval, timeout: Interval)
    }

    /// A connection on which a welcome is waited for.
    struct Greeting {
        let address: String
        let socket: Socket
        var isSent = false
    }

    let addresses: [String]
    let hello: Hello
    let keys: PeerKeys?
    let logger: Logger
    private let outboxBytes: Int
    var state = State.closed
    /// Of the open session.
    private(set) var current: Greeting?
    /// While there is no session, or while the broker is silent.
    var greetings: [Greeting] = []
    /// When the others are greeted once more.
    var greetAgain = Instant.zero
    var outbox: Outbox
    private var lastHeard = Instant.zero
    /// The same without what is only on its way.
    private var lastFrame = Instant.zero
    private var arrivals: ArrivalWatch?
    private var lookForArrivals = Instant.zero
    var lastSent = Instant.zero
    private var failures = 0
    var loop: PollLoop?
    private var handle: ((Event) -> Void)?

    /// - Parameters:
    ///   - address: the broker's endpoint; of several brokers, with a comma between.
    ///   - keys: for a broker that wants to know who comes; nil for one that does not.
    package init(
        address: String,
        hello: Hello,
        keys: PeerKeys? = nil,
        outboxBytes: Int = 64 << 20,
        logger: Logger
    ) {
        addresses = address.split(separator: ",").map { String($0) }
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
    /// - Throws: `ZeroMQError` if an address is malformed; a broker that is not there yet is no error.
    package func start(on loop: PollLoop, _ handle: @escaping (Event) -> Void) throws(ZeroMQError) {
        self.loop = loop
        self.handle = handle
        try greet(at: PollLoop.now())
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
        case .greeting(let until):
            if now >= until { lose(Status(.unavailable, .none, silence), at: now) }
            return sayHello() ? until : now + .milliseconds(10)
        case .open(_, let interval, let timeout):
            noteArrivals(at: now, every: interval)
            if now >= lastHeard + timeout {
                lose(Status(.unavailable, .sessionExpired, "the broker at \(place) fell silent"), at: now)
                return now
            }
            let next = lookAround(from: place, at: now, since: lastHeard, interval)
            if !flush() { return now + .milliseconds(5) }
            if now >= lastSent + interval { send(.ping, method: .unspecified, stream: 0) }
            return min(lastSent + interval, lastHeard + timeout, next)
        }
    }

    /// Where the broker is, or may be.
    private var place: String { current?.address ?? addresses.joined(separator: ",") }

    /// A key that is refused shows as silence.
    private var silence: String {
        "the broker at \(place) does not answer" + (keys == nil ? "" : ", or does not let this key in")
    }

    /// Ends the session in good order and closes the socket.
    package func close(_ status: Status = .ok) {
        if isOpen { send(.goodbye, method: .unspecified, stream: 0, body: status.encode()) }
        closeSockets()
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
        closeSockets()
        for address in addresses { try greet(address) }
        outbox = Outbox(maximumBytes: outboxBytes)
        state = .greeting(until: now + .seconds(5))
        sayHello()
    }

    func receive(from socket: Socket) {
        for _ in 0..<256 {
            guard let incoming = socket.receive() else { return }
            if let frames = incoming.handed as? HandedFrames {
                frames.each { take($0.header, $0.body, from: socket) }
            } else {
                guard incoming.excessFrames == 0, (1...2).contains(incoming.frames.count) else { continue }
                let body = incoming.frames.count == 2 ? incoming.frames[1] : []
                guard let header = try? FrameHeader(decoding: incoming.frames[0], bodyLength: body.count) else {
                    logger.warning("the broker sent a frame that cannot be read")
                    continue
                }
                take(header, .bytes(body), from: socket)
            }
            // It may have ended the session, or the greeting.
            guard !socket.isClosed else { return }
        }
    }

    private func take(_ header: FrameHeader, _ body: FrameBody, from socket: Socket) {
        guard socket === current?.socket else { return takeGreeting(header, body, on: socket) }
        lastHeard = PollLoop.now()
        lastFrame = lastHeard
        take(header, body)
    }

    private func take(_ header: FrameHeader, _ body: FrameBody) {
        switch (header.kind, state) {
        case (.error, .open), (.goodbye, .open):
            lose(Self.status(body), at: PollLoop.now())
        case (.ping, .open):
            send(.pong, method: .unspecified, stream: 0)
        case (.item, .open(let session, _, _)), (.end, .open(let session, _, _)):
            if header.session == session { handle?(.frame(header, body: body)) }
        case (.bundle, .open(let session, _, _)):
            takeBundle(body.bytes, of: session)
        default:
            break
        }
    }

    private func takeGreeting(_ header: FrameHeader, _ body: FrameBody, on socket: Socket) {
        guard let greeting = greetings.first(where: { $0.socket === socket }) else { return }
        switch header.kind {
        case .welcome:
            guard let welcome = try? body.decoded(as: Welcome.self) else { return }
            if isOpen {
                let status = Status(.unavailable, .sessionExpired, "another broker leads")
                send(.goodbye, method: .unspecified, stream: 0, body: status.encode())
                lose(status, at: PollLoop.now(), keeping: socket)
            }
            adopt(greeting, welcome)
        case .error, .goodbye:
            dismiss(socket)
            if greetings.isEmpty, !isOpen { lose(Self.status(body), at: PollLoop.now()) }
        default:
            break
        }
    }

    private func adopt(_ greeting: Greeting, _ welcome: Welcome) {
        for other in greetings where other.socket !== greeting.socket { close(other.socket) }
        greetings = []
        current = greeting
        failures = 0
        lastHeard = PollLoop.now()
        lastFrame = lastHeard
        arrivals = greeting.socket.watchArrivals()
        state = .open(
            session: welcome.session,
            interval: max(welcome.heartbeatInterval, .milliseconds(10)),
            timeout: max(welcome.sessionTimeout, .milliseconds(50))
        )
        handle?(.opened(welcome))
    }

    private static func status(_ body: FrameBody) -> Status {
        (try? body.decoded(as: Status.self)) ?? Status(.unavailable, .malformed, "the broker ended the session")
    }

    private func takeBundle(_ body: [UInt8], of session: UInt64) {
        do throws(MalformedFrame) {
            // Whoever hears of a frame may end the session, and then the rest is of no interest.
            try FrameBundle.split(body) { if $0.session == session { take($0, .bytes($1)) } }
        } catch {
            logger.warning("the broker sent a bundle that cannot be read")
        }
    }

    /// A large frame on a slow link is no silence, for a minute.
    private func noteArrivals(at now: Instant, every interval: Interval) {
        guard now >= lookForArrivals else { return }
        lookForArrivals = now + interval
        guard now >= lastFrame + interval, now < lastFrame + .seconds(60) else {
            arrivals?.rest()
            return
        }
        if arrivals?.look() == true { lastHeard = now }
    }

    private func lose(_ status: Status, at now: Instant, keeping kept: Socket? = nil) {
        failures += 1
        // Once for each time of trouble; what comes of it is the owner's to tell.
        if failures == 2 { logger.notice("no session with the broker yet", metadata: ["why": "\(status.message)"]) }
        closeSockets(except: kept)
        // What waits was for that session.
        outbox = Outbox(maximumBytes: outboxBytes)
        // Of several brokers one will answer soon.
        let longest = addresses.count > 1 ? 500 : 5000
        let backoff = Interval.milliseconds(Int64(min(100 << min(failures, 6), longest)))
        state = .waiting(until: now + backoff)
        handle?(.lost(status))
    }

    private func closeSockets(except kept: Socket? = nil) {
        for socket in greetings.map(\.socket) + [current?.socket].compactMap({ $0 }) where socket !== kept {
            close(socket)
        }
        greetings = []
        current = nil
    }
}
