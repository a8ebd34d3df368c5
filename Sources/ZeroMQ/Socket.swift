internal import CZeroMQ
internal import DequeModule
internal import Glibc

/// A ZeroMQ socket whose calls never block.
///
/// It belongs to the thread that made it (in the product that of a `PollLoop`); every call from another thread stops
/// the process, because libzmq sockets are not thread-safe and fail much later and elsewhere. Only letting go of the
/// last reference, which closes it, may happen anywhere.
///
/// Our sockets set no routing id of their own.
package final class Socket {
    package let kind: SocketKind

    /// Whether messages say whose key they came with.
    let knowsUsers: Bool

    /// Messages dropped by `receive()` because their sender chose its own routing id.
    package private(set) var foreignMessages = 0

    /// Keeps the context alive as long as the socket.
    private let context: Context
    private let owner = pthread_self()

    /// Nil once closed.
    private(set) var handle: UnsafeMutableRawPointer?

    private var lastInside: UInt32 = 0

    /// The frame last received.
    ///
    /// On the heap: up to 33 bytes of content lie within the struct, which must not move.
    let frame: UnsafeMutablePointer<zmq_msg_t>

    /// What came from sockets of this process and has not been received.
    var arrivals: Deque<Incoming> = []
    /// To dealers of this process, of a router.
    var circuits: [RoutingID: Circuit] = [:]
    /// To a router of this process, of a dealer.
    private(set) var circuit: Circuit?
    /// What other threads leave for this socket; nil as long as none can.
    private var letterbox: Letterbox?
    /// Becomes readable when libzmq has something to tell a socket that is not unsettled.
    let descriptor: CInt
    /// Whether it has been used since libzmq was last asked about messages: what its descriptor would have told may have
    /// been taken in by the way.
    var isUnsettled = true
    /// Whether the message received last came from this process.
    var isFromInside = false

    /// Makes a socket that is neither bound nor connected.
    ///
    /// Throws if an option's value is refused, the context has ended or too many sockets are open.
    package init(_ kind: SocketKind, options: SocketOptions, context: Context = .shared) throws(ZeroMQError) {
        let handle = try context.makeSocket(kind.type)
        do {
            try options.apply(to: handle, kind: kind)
            descriptor = try Self.option(ZMQ_FD, of: handle)
        } catch {
            zmq_close(handle)
            throw error
        }
        self.kind = kind
        knowsUsers = options.security.isServer
        self.context = context
        self.handle = handle
        frame = .allocate(capacity: 1)
        zmq_msg_init(frame)
    }

    deinit {
        // No reference is left, so no thread can be inside a call: closing here is a hand-over, not sharing.
        if let handle { zmq_close(handle) }
        if case .bridge(let bridge) = circuit { bridge.router.tell(.closed(bridge.id)) }
        closeLetterbox()
        zmq_msg_close(frame)
        frame.deallocate()
    }

    /// Asks libzmq whether there is a message to receive; nil if the context has ended.
    func settle() -> Bool? {
        guard let handle else { return false }
        isUnsettled = false
        guard let events = try? Self.option(ZMQ_EVENTS, of: handle) else { return nil }
        // There may be more of them than will be received at once.
        if events & ZMQ_POLLIN != 0 { isUnsettled = true }
        return isUnsettled
    }

    private static func option(_ option: CInt, of handle: UnsafeMutableRawPointer) throws(ZeroMQError) -> CInt {
        var value: CInt = 0
        var size = MemoryLayout<CInt>.size
        while zmq_getsockopt(handle, option, &value, &size) != 0 {
            guard zmq_errno() == EINTR else { throw .last("getsockopt") }
        }
        return value
    }

    /// Accepts connections at `endpoint` and returns the endpoint in full, with the port chosen for `tcp://host:*`.
    ///
    /// Throws if the address is in use, not ours, or not an endpoint. The file of an `ipc` socket whose process has
    /// died is replaced, that of a living one or any other file is not.
    @discardableResult
    package func bind(_ endpoint: String) throws(ZeroMQError) -> String {
        let handle = open()
        if let code = Endpoint.refusalToBind(endpoint) {
            throw ZeroMQError(operation: "bind", endpoint: endpoint, code: code)
        }
        guard zmq_bind(handle, endpoint) == 0 else { throw .last("bind", endpoint: endpoint) }
        if endpoint.hasPrefix("inproc://") { listenInside(at: endpoint) }
        return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer throws(ZeroMQError) in
            var size = buffer.count
            guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, buffer.baseAddress, &size) == 0 else {
                throw .last("bind", endpoint: endpoint)
            }
            return String(decoding: buffer[..<max(0, size - 1)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// Starts connecting to `endpoint` and keeps doing so in the background, whether or not anyone listens there.
    ///
    /// Throws only if `endpoint` is not one.
    package func connect(_ endpoint: String) throws(ZeroMQError) {
        let handle = open()
        if let code = Endpoint.refusalToConnect(endpoint) {
            throw ZeroMQError(operation: "connect", endpoint: endpoint, code: code)
        }
        if kind == .dealer, connectInside(to: endpoint) { return }
        guard zmq_connect(handle, endpoint) == 0 else { throw .last("connect", endpoint: endpoint) }
    }

    /// Closes the socket; what is queued goes on being sent for the time of `linger`.
    ///
    /// Does nothing the second time.
    package func close() {
        guard let handle else { return }
        checkThread()
        self.handle = nil
        zmq_close(handle)
        circuit?.dealerCloses()
        closeLetterbox()
        arrivals = []
    }

    private func closeLetterbox() {
        guard let letterbox else { return }
        letterbox.close()
        if kind == .router { InsideDoors.close(letterbox) }
    }

    /// Lets dealers of this process come without libzmq.
    private func listenInside(at endpoint: String) {
        InsideDoors.open(endpoint, for: self)
        guard kind == .router, let thread = LoopThread.current else { return }
        let letterbox = letterbox ?? Letterbox(of: thread)
        self.letterbox = letterbox
        InsideDoors.open(letterbox, at: endpoint, in: context)
    }

    /// Connects to a router of this process, if there is one that is not to be reached through libzmq.
    private func connectInside(to endpoint: String) -> Bool {
        if let router = InsideDoors.router(at: endpoint) {
            circuit = .short(router.acceptInside(self))
            return true
        }
        guard let thread = LoopThread.current, let router = InsideDoors.letterbox(at: endpoint, in: context) else {
            return false
        }
        let own = Letterbox(of: thread)
        letterbox = own
        circuit = .bridge(Bridge(router: router, dealer: own))
        return true
    }

    /// Takes a dealer of the same thread for a peer.
    private func acceptInside(_ dealer: Socket) -> ShortCircuit {
        checkThread()
        lastInside += 1
        let circuit = ShortCircuit(router: self, dealer: dealer, id: RoutingID(inside: lastInside))
        circuits[circuit.id] = .short(circuit)
        return circuit
    }

    /// Whether something has come from this process.
    var hasArrivals: Bool { !arrivals.isEmpty || letterbox?.isFilled == true }

    /// The next message that came from this process.
    func nextArrival() -> Incoming? {
        if arrivals.isEmpty, let letterbox, letterbox.isFilled {
            for letter in letterbox.take() {
                switch letter {
                case .message(let message): arrivals.append(message)
                case .opened(let bridge): circuits[bridge.id] = .bridge(bridge)
                case .closed(let id): circuits[id] = nil
                }
            }
        }
        return arrivals.popFirst()
    }

    package var isClosed: Bool { handle == nil }

    /// Whether the one peer of a dealer is of this process, and libzmq has no part in it.
    package var isInside: Bool { circuit != nil }

    /// The libzmq socket; stops the process on another thread or after `close()`.
    func open() -> UnsafeMutableRawPointer {
        checkThread()
        guard let handle else { preconditionFailure("ZeroMQ socket used after close()") }
        return handle
    }

    func countForeignMessage() {
        foreignMessages += 1
    }

    private func checkThread() {
        precondition(pthread_equal(owner, pthread_self()) != 0, "ZeroMQ socket used on another thread than its own")
    }
}

@available(*, unavailable)
extension Socket: Sendable {}
