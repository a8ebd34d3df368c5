internal import DequeModule
internal import Glibc
internal import Synchronization

/// The end of a connection between two sockets of one thread, which libzmq has no part in.
///
/// Frames, or objects, are handed over as they are: nothing is copied, and nobody has to be woken, as the thread's poll loop
/// looks for them before it sleeps. It is what becomes of an `inproc` connection whose both sockets belong to the same thread.
final class ShortCircuit {
    /// Messages that may wait at either end.
    static let capacity = 2000

    /// Nil once that socket is closed.
    private(set) weak var router: Socket?
    private(set) weak var dealer: Socket?
    /// The name of the dealer at the router.
    let id: RoutingID

    init(router: Socket, dealer: Socket, id: RoutingID) {
        self.router = router
        self.dealer = dealer
        self.id = id
    }

    /// Hands a message to the other end than that of `sender`.
    func deliver(from sender: Socket, _ message: (RoutingID?) -> Incoming) -> SendOutcome {
        let isToDealer = sender === router
        guard let receiver = isToDealer ? dealer : router, !receiver.isClosed else {
            return isToDealer ? .unreachable : .wouldBlock
        }
        guard receiver.arrivals.count < Self.capacity else { return .wouldBlock }
        receiver.arrivals.append(message(isToDealer ? nil : id))
        return .sent
    }
}

/// A way to a peer of this process around libzmq.
enum Circuit {
    /// To a socket of the same thread.
    case short(ShortCircuit)
    /// To one of another.
    case bridge(Bridge)

    /// Hands a message to the other end.
    func send(_ frames: [[UInt8]], from sender: Socket) -> SendOutcome {
        deliver(from: sender) { id in
            let kept = frames.prefix(Incoming.maximumFrames)
            return Incoming(
                from: id,
                frames: Array(kept),
                excessFrames: frames.count - kept.count,
                excessBytes: frames.dropFirst(kept.count).reduce(0) { $0 + $1.count }
            )
        }
    }

    /// Hands an object to the other end, in place of a message.
    func hand(_ object: any AnyObject & Sendable, from sender: Socket) -> SendOutcome {
        deliver(from: sender) { Incoming(from: $0, handed: object) }
    }

    private func deliver(from sender: Socket, _ message: (RoutingID?) -> Incoming) -> SendOutcome {
        switch self {
        case .short(let circuit): circuit.deliver(from: sender, message)
        case .bridge(let bridge): bridge.deliver(from: sender, message)
        }
    }

    /// Tells the router's end that the dealer is closed.
    func dealerCloses() {
        switch self {
        case .short(let circuit): circuit.router?.circuits[circuit.id] = nil
        case .bridge(let bridge): bridge.router.tell(.closed(bridge.id))
        }
    }
}

/// The sockets that listen at `inproc` endpoints: those of the thread, and the letterboxes of all.
enum InsideDoors {
    private final class Doors {
        var sockets: [String: Weak] = [:]
    }

    private struct Weak {
        weak var socket: Socket?
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key) { doors in
            if let doors { Unmanaged<Doors>.fromOpaque(doors).release() }
        }
        precondition(code == 0, "no thread-specific values left")
        return key
    }()

    private static var doors: Doors {
        if let doors = pthread_getspecific(key) { return Unmanaged<Doors>.fromOpaque(doors).takeUnretainedValue() }
        let doors = Doors()
        pthread_setspecific(key, Unmanaged.passRetained(doors).toOpaque())
        return doors
    }

    static func open(_ endpoint: String, for socket: Socket) {
        let doors = doors
        doors.sockets = doors.sockets.filter { $0.value.socket != nil }
        doors.sockets[endpoint] = Weak(socket: socket)
    }

    /// The router of this thread that listens at an endpoint.
    static func router(at endpoint: String) -> Socket? {
        guard let socket = doors.sockets[endpoint]?.socket, !socket.isClosed, socket.kind == .router else { return nil }
        return socket
    }

    private struct Address: Hashable {
        var context: ObjectIdentifier
        var endpoint: String
    }

    private static let letterboxes = Mutex<[Address: Letterbox]>([:])

    /// Makes a router's letterbox known to other threads.
    static func open(_ letterbox: Letterbox, at endpoint: String, in context: Context) {
        letterboxes.withLock { $0[Address(context: ObjectIdentifier(context), endpoint: endpoint)] = letterbox }
    }

    /// The letterbox of the router that listens at an endpoint, on whichever thread.
    static func letterbox(at endpoint: String, in context: Context) -> Letterbox? {
        letterboxes.withLock { $0[Address(context: ObjectIdentifier(context), endpoint: endpoint)] }
    }

    static func close(_ letterbox: Letterbox) {
        letterboxes.withLock { all in
            for (address, other) in all where other === letterbox { all[address] = nil }
        }
    }
}
