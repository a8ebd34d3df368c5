internal import DequeModule
internal import Glibc

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
        let isToDealer = sender === router
        guard let receiver = isToDealer ? dealer : router, !receiver.isClosed else {
            return isToDealer ? .unreachable : .wouldBlock
        }
        guard receiver.arrivals.count < Self.capacity else { return .wouldBlock }
        receiver.arrivals.append(message(isToDealer ? nil : id))
        return .sent
    }
}

/// The sockets of a thread that listen at `inproc` endpoints.
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
}
