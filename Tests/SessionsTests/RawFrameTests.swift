import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

/// A peer that sends whatever it likes.
final class RawPeer {
    let socket: Socket

    init(_ address: String) throws {
        socket = try Socket(.dealer, options: .peer)
        try socket.connect(address)
    }

    func send(_ frames: [[UInt8]]) {
        while socket.send(frames, to: nil) != .sent { _ = socket.waitUntilReadable(atMost: .milliseconds(1)) }
    }

    func send(_ kind: FrameKind, method: Method = .unspecified, session: UInt64, stream: UInt64 = 0, body: [UInt8] = [])
    {
        let header = FrameHeader(kind: kind, method: method, session: session, stream: stream, bodyLength: body.count)
        send([header.encode(), body])
    }

    /// The next frame that is no heartbeat.
    func receive() throws -> (header: FrameHeader, body: [UInt8]) {
        while socket.waitUntilReadable(atMost: .seconds(20)) {
            guard let incoming = socket.receive() else { continue }
            let body = incoming.frames.count > 1 ? incoming.frames[1] : []
            let header = try FrameHeader(decoding: incoming.frames[0], bodyLength: body.count)
            if header.kind != .ping && header.kind != .pong { return (header, body) }
        }
        throw Status(.deadlineExceeded, .none, "nothing came")
    }

    func receiveStatus(_ kind: FrameKind = .error) throws -> Status {
        let (header, body) = try receive()
        #expect(header.kind == kind)
        return try Status.decode(body)
    }

    func hello(takesBundles: Bool = false) throws -> UInt64 {
        let hello = Hello(software: "raw", name: "raw", takesBundles: takesBundles)
        send(.hello, session: 0, body: hello.encode())
        let (header, body) = try receive()
        #expect(header.kind == .welcome)
        return try Welcome.decode(body).session
    }
}

@Suite("Frames that make no sense", .timeLimit(.minutes(1)))
struct RawFrameTests {
    /// Runs `body` with the address of an endpoint, on the thread of the loop that it is given.
    private func withEndpoint(
        _ configure: @Sendable (inout SessionConfiguration) -> Void = { _ in },
        _ body: @Sendable (String) throws -> Void
    ) async throws -> (endpoint: ServedEndpoint, malformed: UInt64) {
        let endpoint = ServedEndpoint(configure)
        let address = try await endpoint.open()
        try body(address)
        let malformed = await endpoint.malformedFrames()
        await endpoint.stop()
        return (endpoint, malformed)
    }

    @Test("Garbage is answered or dropped, is counted, and harms no session")
    func garbage() async throws {
        let outcome = try await withEndpoint { address in
            let peer = try RawPeer(address)
            let session = try peer.hello()
            let ping = FrameHeader(kind: .ping, session: session, bodyLength: 0).encode()
            var wrongMagic = ping
            wrongMagic[0] = 0
            var wrongVersion = ping
            wrongVersion[3] = 9
            var wrongKind = ping
            wrongKind[5] = 77
            var wrongLength = ping
            wrongLength[24] = 3
            for (header, reason) in [
                (wrongMagic, Reason.protocolViolation), (wrongVersion, .unsupportedVersion),
                (wrongKind, .protocolViolation), (wrongLength, .protocolViolation), ([], .protocolViolation),
                ([UInt8](repeating: 255, count: 31), .protocolViolation),
            ] {
                peer.send([header, []])
                #expect(try peer.receiveStatus().reason == reason)
            }
            // A missing body is an empty one; a third frame makes the message nothing.
            peer.send([wrongLength])
            #expect(try peer.receiveStatus().reason == .protocolViolation)
            peer.send([ping, [], []])
            peer.send(.call, method: .work, session: session, stream: 1)
            #expect(try peer.receiveStatus(.end).reason == .wrongRole)
        }
        #expect(outcome.malformed == 8)
    }

    @Test("One frame too many that makes no sense ends the session, and nobody else's")
    func tooMuchGarbage() async throws {
        let outcome = try await withEndpoint {
            $0.peers.malformedFrames = 3
        } _: { address in
            let (peer, other) = (try RawPeer(address), try RawPeer(address))
            let (session, otherSession) = (try peer.hello(), try other.hello())
            for _ in 0..<3 {
                peer.send([[1], []])
                #expect(try peer.receiveStatus().reason == .protocolViolation)
            }
            peer.send(.ping, session: session)
            #expect(try peer.receiveStatus().reason == .staleSession)
            other.send(.call, method: .work, session: otherSession, stream: 1)
            #expect(try other.receiveStatus(.end).reason == .wrongRole)
        }
        var events = outcome.endpoint.events.makeAsyncIterator()
        #expect(await events.next() == .ended(session: 1))
    }

    @Test("Who has no session is told so a bounded number of times")
    func refusalsAreBounded() async throws {
        _ = try await withEndpoint {
            $0.peers.refusals = Rate(perSecond: 0, burst: 2)
        } _: { address in
            let peer = try RawPeer(address)
            for _ in 0..<5 { peer.send(.ping, session: 9) }
            let session = try {
                for _ in 0..<2 { #expect(try peer.receiveStatus().reason == .staleSession) }
                // What comes next is no third refusal.
                return try peer.hello()
            }()
            #expect(session == 1)
        }
    }

    @Test("Frames of no, another's or a former session are refused; a hello that cannot be read too")
    func staleSessions() async throws {
        let outcome = try await withEndpoint { address in
            let peer = try RawPeer(address)
            peer.send(.ping, session: 0)
            #expect(try peer.receiveStatus().reason == .staleSession)
            let first = try peer.hello()
            let second = try peer.hello()
            #expect(second > first)
            peer.send(.call, method: .generate, session: first, stream: 1)
            #expect(try peer.receiveStatus().reason == .staleSession)
            let other = try RawPeer(address)
            other.send(.call, method: .generate, session: second, stream: 1)
            #expect(try other.receiveStatus().reason == .staleSession)
            other.send(.hello, session: 0, body: [255, 255, 255])
            #expect(try other.receiveStatus().reason == .malformed)
            // A stranger's goodbye ends nobody's session.
            other.send(.goodbye, session: second)
            peer.send(.call, method: .work, session: second, stream: 1)
            #expect(try peer.receiveStatus(.end).reason == .wrongRole)
        }
        var events = outcome.endpoint.events.makeAsyncIterator()
        #expect(await events.next() == .ended(session: 1))
    }

    @Test("Kinds that only a broker sends break the session", arguments: [FrameKind.welcome, .error, .end, .item, .bundle])
    func wrongKinds(kind: FrameKind) async throws {
        _ = try await withEndpoint { address in
            let peer = try RawPeer(address)
            let session = try peer.hello()
            let isSessionFrame = !kind.belongsToStream
            peer.send(
                kind,
                method: isSessionFrame ? .unspecified : .work,
                session: session,
                stream: isSessionFrame ? 0 : 1
            )
            #expect(try peer.receiveStatus().reason == .protocolViolation)
            peer.send(.ping, session: session)
            #expect(try peer.receiveStatus().reason == .staleSession)
        }
    }

    @Test("A peer that stops reading fills its outbox and loses its own session only")
    func stopsReading() async throws {
        let endpoint = ServedEndpoint { $0.outboxBytes = 1 << 20 }
        let address = try await endpoint.open()
        let healthy = ConnectedPeer()
        var events = healthy.events.makeAsyncIterator()
        try await healthy.connect(to: address)
        #expect(await events.next() == .opened(session: 1))
        let loop = PollLoop(name: "silent")
        loop.start()
        let silent = SilentPeer(loop: loop)
        let session = try await silent.hello(at: address)
        var inputs = endpoint.events.makeAsyncIterator()
        let body = [UInt8](repeating: 1, count: 64 << 10)
        // More than libzmq's and the kernel's buffers hold.
        for _ in 0..<4096 {
            guard await endpoint.sessionCount() == 2 else { break }
            await endpoint.send(body, stream: 1, to: session)
        }
        #expect(await inputs.next() == .ended(session: session))
        #expect(await endpoint.sessionCount() == 1)
        await endpoint.send([9], stream: 1, to: 1)
        #expect(await events.next() == .item(stream: 1, body: [9]))
        await loop.stop()
        await healthy.stop()
        await endpoint.stop()
    }
}

/// Says hello and never reads again.
private actor SilentPeer {
    nonisolated let loop: PollLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var peer: RawPeer?

    init(loop: PollLoop) {
        self.loop = loop
    }

    func hello(at address: String) throws -> UInt64 {
        let peer = try RawPeer(address)
        self.peer = peer
        return try peer.hello()
    }
}
