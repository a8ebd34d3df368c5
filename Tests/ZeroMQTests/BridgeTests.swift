import ServingModel
import Testing

@testable import ZeroMQ

@Suite("Sockets of two threads", .timeLimit(.minutes(1)))
struct BridgeTests {
    private final class Note: Sendable {
        let text: String

        init(_ text: String) {
            self.text = text
        }
    }

    /// A router and a dealer that is connected to it, each on a thread of its own.
    private func pair(_ endpoint: String) async throws -> (router: SocketHolder, dealer: SocketHolder) {
        let (router, dealer) = (SocketHolder(.router), SocketHolder(.dealer))
        try await router.bind(endpoint)
        try await dealer.connect(endpoint)
        return (router, dealer)
    }

    @Test("Frames and objects arrive as they are, in turn, both ways")
    func exchange() async throws {
        let (router, dealer) = try await pair("inproc://bridge-exchange")
        let note = Note("a")
        #expect(await dealer.isInside)
        #expect(await dealer.send([[1], [2, 3]]) == .sent)
        #expect(await dealer.hand(note) == .sent)
        #expect(await dealer.send([[4], [5], [6, 7]]) == .sent)
        let first = try #require(await router.receive())
        let peer = try #require(first.from)
        #expect(first.frames == [[1], [2, 3]] && first.handed == nil && peer.isInside)
        let second = try #require(await router.receive())
        #expect(second.frames.isEmpty && second.from == peer && second.handed === note)
        let third = try #require(await router.receive())
        #expect(third.frames == [[4], [5]] && third.excessFrames == 1 && third.excessBytes == 2)
        #expect(await router.receive() == nil)
        #expect(await router.hand(note, to: peer) == .sent)
        #expect(await router.send([[8]], to: peer) == .sent)
        #expect(await dealer.receive()?.handed === note)
        #expect(await dealer.receive()?.frames == [[8]])
        #expect(await dealer.receive() == nil)
        await dealer.stop()
        #expect(await router.send([[1]], to: peer) == .unreachable)
        #expect(await router.hand(note, to: peer) == .unreachable)
        await router.stop()
    }

    @Test("Peers of the router's thread, of others and of the network are told apart")
    func peers() async throws {
        let endpoint = "inproc://bridge-peers"
        let (router, first) = try await pair(endpoint)
        let (second, same, outside) = (
            SocketHolder(.dealer), SocketHolder(.dealer, besides: router), SocketHolder(.dealer)
        )
        let address = try await router.bind("tcp://127.0.0.1:*")
        let dealers = [first, second, same, outside]
        for dealer in [second, same] { try await dealer.connect(endpoint) }
        try await outside.connect(address)
        for (number, dealer) in dealers.enumerated() { #expect(await dealer.send([[UInt8(number)]]) == .sent) }
        var names: [UInt8: RoutingID] = [:]
        for message in await router.next(4) { names[message.frames[0][0]] = message.from }
        #expect(Set(names.values).count == 4)
        for (number, name) in names { #expect(await router.send([[number]], to: name) == .sent) }
        for (number, dealer) in dealers.enumerated() {
            #expect(await dealer.next(1).first?.frames == [[UInt8(number)]])
        }
        for holder in dealers + [router] { await holder.stop() }
    }

    @Test("A socket that is not read takes so many messages and no more; one that is closed takes none")
    func capacity() async throws {
        let (router, dealer) = try await pair("inproc://bridge-capacity")
        // Word of the connection is in there, too.
        for _ in 1..<ShortCircuit.capacity { #expect(await dealer.send([[1]]) == .sent) }
        #expect(await dealer.send([[1]]) == .wouldBlock)
        #expect(await dealer.hand(Note("a")) == .wouldBlock)
        _ = await router.receive()
        #expect(await dealer.send([[1]]) == .sent)
        await router.stop()
        #expect(await dealer.send([[1]]) == .wouldBlock)
        #expect(await dealer.receive() == nil)
        await dealer.stop()
    }

    @Test("An endpoint whose router is gone can be another's")
    func successor() async throws {
        let (router, dealer) = try await pair("inproc://bridge-successor")
        await router.stop()
        let (heir, other) = try await pair("inproc://bridge-successor")
        #expect(await other.send([[1]]) == .sent)
        #expect(await dealer.send([[2]]) == .wouldBlock)
        #expect(await heir.receive()?.frames == [[1]])
        for holder in [dealer, heir, other] { await holder.stop() }
    }
}

/// A socket and the loop that it belongs to.
private actor SocketHolder {
    private nonisolated let thread: LoopThread
    private nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let kind: SocketKind
    private var socket: Socket?
    private var received: [Incoming] = []
    private var wanted: (count: Int, signal: LoopSignal)?

    init(_ kind: SocketKind, besides other: SocketHolder? = nil) {
        self.kind = kind
        thread = other?.thread ?? LoopThread(name: "holder")
        loop = PollLoop(name: "holder", on: thread)
        loop.start()
    }

    private func open() throws -> Socket {
        if let socket { return socket }
        let made = try Socket(kind, options: kind == .router ? .broker : .peer)
        socket = made
        return made
    }

    @discardableResult
    func bind(_ endpoint: String) throws -> String { try open().bind(endpoint) }

    func connect(_ endpoint: String) throws { try open().connect(endpoint) }

    var isInside: Bool { socket?.isInside ?? false }

    func send(_ frames: [[UInt8]], to peer: RoutingID? = nil) -> SendOutcome? { socket?.send(frames, to: peer) }

    func hand(_ object: any AnyObject & Sendable, to peer: RoutingID? = nil) -> SendOutcome? {
        socket?.hand(object, to: peer)
    }

    func receive() -> Incoming? { socket?.receive() }

    /// So many messages, when they have come; those that are there if the task is cancelled first.
    func next(_ count: Int) async -> [Incoming] {
        let signal = LoopSignal()
        wanted = (count, signal)
        if let socket {
            loop.watch(socket) { [self] in
                self.assumeIsolated { $0.take() }
            }
        }
        take()
        await signal.wait()
        defer { received = [] }
        return received
    }

    private func take() {
        while let message = socket?.receive() { received.append(message) }
        guard let wanted, received.count >= wanted.count else { return }
        self.wanted = nil
        if let socket { loop.unwatch(socket) }
        wanted.signal.give()
    }

    func stop() async {
        socket?.close()
        await loop.stop()
    }
}
