internal import Glibc
internal import ServingModel
internal import Testing

@testable internal import ZeroMQ

@Suite("Sockets of one thread")
struct ShortCircuitTests {
    private func pair(_ endpoint: String) throws -> (router: Socket, dealer: Socket) {
        let (router, dealer) = (try Socket(.router, options: .broker), try Socket(.dealer, options: .peer))
        try router.bind(endpoint)
        try dealer.connect(endpoint)
        return (router, dealer)
    }

    @Test("What is sent arrives whole and in order, both ways, and is the same memory")
    func exchange() throws {
        let (router, dealer) = try pair("inproc://short-circuit-exchange")
        defer { router.close() }
        let body = [UInt8](repeating: 7, count: 100_000)
        #expect(dealer.send([[1], body], to: nil) == .sent)
        #expect(dealer.send([[2]], to: nil) == .sent)
        #expect(dealer.send([[3], [4], [5, 6]], to: nil) == .sent)
        let first = try #require(router.receive())
        let peer = try #require(first.from)
        #expect(first.frames == [[1], body])
        #expect(first.frames[1].withUnsafeBytes { $0.baseAddress } == body.withUnsafeBytes { $0.baseAddress })
        #expect(router.receive()?.frames == [[2]])
        let long = try #require(router.receive())
        #expect(long.frames == [[3], [4]] && long.excessFrames == 1 && long.excessBytes == 2)
        #expect(router.receive() == nil)
        #expect([UInt8]([9]).withUnsafeBytes { router.send(header: $0, body: body, to: peer) } == .sent)
        #expect(router.send([1, 2, 3], dividedAt: 1, to: peer) == .sent)
        #expect(dealer.receive()?.frames == [[9], body])
        #expect(dealer.receive()?.frames == [[1], [2, 3]])
        dealer.close()
        #expect(router.send([[1]], to: peer) == .unreachable)
    }

    @Test("Peers are told apart, those of other threads too")
    func peers() throws {
        let (router, first) = try pair("inproc://short-circuit-peers")
        let second = try Socket(.dealer, options: .peer)
        try second.connect("inproc://short-circuit-peers")
        defer { for socket in [router, first, second] { socket.close() } }
        let elsewhere = Elsewhere()
        elsewhere.start()
        var names: [UInt8: RoutingID] = [:]
        #expect(first.send([[1]], to: nil) == .sent && second.send([[2]], to: nil) == .sent)
        while names.count < 3, let message = router.receive() ?? waited(for: router) {
            names[message.frames[0][0]] = message.from
        }
        #expect(Set(names.values).count == 3)
        for (number, name) in names { #expect(router.send([[number], [number]], to: name) == .sent) }
        #expect(first.receive()?.frames == [[1], [1]] && second.receive()?.frames == [[2], [2]])
        #expect(elsewhere.heard() == [[3], [3]])
    }

    private final class Note: Sendable {
        let text: String

        init(_ text: String) {
            self.text = text
        }
    }

    @Test("An object arrives as it is, in turn with frames, and as no frames")
    func objects() throws {
        let (router, dealer) = try pair("inproc://short-circuit-objects")
        defer { router.close() }
        let note = Note("a")
        #expect(dealer.send([[1]], to: nil) == .sent)
        #expect(dealer.hand(note, to: nil) == .sent)
        #expect(dealer.send([[2]], to: nil) == .sent)
        let first = try #require(router.receive())
        #expect(first.frames == [[1]] && first.handed == nil)
        let second = try #require(router.receive())
        #expect(second.frames.isEmpty && second.from == first.from && second.handed === note)
        #expect(router.receive()?.frames == [[2]])
        #expect(router.hand(Note("b"), to: first.from) == .sent)
        #expect((dealer.receive()?.handed as? Note)?.text == "b")
        dealer.close()
        #expect(router.hand(note, to: first.from) == .unreachable)
    }

    @Test("A peer that is elsewhere is handed nothing")
    func objectsElsewhere() throws {
        let (router, inside) = try pair("inproc://short-circuit-elsewhere")
        let outside = try Socket(.dealer, options: .peer)
        try outside.connect(try router.bind("tcp://127.0.0.1:*"))
        defer { for socket in [router, inside, outside] { socket.close() } }
        #expect(inside.isInside && !outside.isInside)
        #expect(outside.hand(Note("a"), to: nil) == nil)
        while outside.send([[7]], to: nil) != .sent { _ = outside.waitUntilReadable(atMost: .milliseconds(1)) }
        let message = try #require(waited(for: router))
        #expect(message.frames == [[7]] && message.from?.isInside == false)
        #expect(router.hand(Note("a"), to: message.from) == nil)
    }

    private func waited(for socket: Socket) -> Incoming? {
        socket.waitUntilReadable(atMost: .seconds(10)) ? socket.receive() : nil
    }

    @Test("A socket that is not read takes so many messages and no more")
    func capacity() throws {
        let (router, dealer) = try pair("inproc://short-circuit-capacity")
        defer { dealer.close() }
        for _ in 0..<ShortCircuit.capacity { #expect(dealer.send([[1]], to: nil) == .sent) }
        #expect(dealer.send([[1]], to: nil) == .wouldBlock)
        #expect(dealer.hand(Note("a"), to: nil) == .wouldBlock)
        _ = router.receive()
        #expect(dealer.send([[1]], to: nil) == .sent)
        router.close()
        #expect(dealer.send([[1]], to: nil) == .wouldBlock)
        #expect(dealer.receive() == nil)
    }
}

/// A dealer on a thread of its own, that says 3 and hears what comes.
private final class Elsewhere: @unchecked Sendable {
    private var thread = pthread_t()
    private var frames: [[UInt8]] = []

    func start() {
        thread = spawnThread(passing: self) { argument in
            guard let argument else { return nil }
            Unmanaged<Elsewhere>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }
    }

    private func run() {
        guard let dealer = try? Socket(.dealer, options: .peer) else { return }
        try? dealer.connect("inproc://short-circuit-peers")
        _ = dealer.send([[3]], to: nil)
        if dealer.waitUntilReadable(atMost: .seconds(10)) { frames = dealer.receive()?.frames ?? [] }
        dealer.close()
    }

    func heard() -> [[UInt8]] {
        pthread_join(thread, nil)
        return frames
    }
}
