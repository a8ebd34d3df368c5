import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

@Suite("Peers of one process", .timeLimit(.minutes(1)))
struct HandoverTests {
    private static let request = GenerateRequest(
        model: "m",
        input: .text(String(repeating: "a long prompt ", count: 10_000)),
        maxTokens: 3
    )
    private static let event = GenerateEvent.tokens(TokensEvent(firstIndex: 0, count: 1, ids: [5], text: "ü"))

    /// An endpoint, and a peer of its thread, or of another, that has a session there.
    private func pair(
        _ name: String,
        sharing: Bool = true
    ) async throws -> (endpoint: ServedEndpoint, address: String, peer: ConnectedPeer, PeerEvents, EndpointEvents) {
        let thread = sharing ? LoopThread(name: "both") : nil
        let (endpoint, peer) = (ServedEndpoint(thread: thread), ConnectedPeer(thread: thread))
        let address = try await endpoint.open()
        try await peer.connect(to: endpoint.openInside("inproc://\(name)"))
        var events = peer.events.makeAsyncIterator()
        #expect(await events.next() == .opened(session: 1))
        return (endpoint, address, peer, events, endpoint.events.makeAsyncIterator())
    }

    private typealias PeerEvents = AsyncStream<ConnectedPeer.Event>.Iterator
    private typealias EndpointEvents = AsyncStream<ServedEndpoint.Event>.Iterator

    @Test(
        "Requests, events and ends arrive as the values they are, on one thread and across two",
        arguments: [true, false]
    )
    func values(sharing: Bool) async throws {
        var (endpoint, _, peer, events, inputs) = try await pair("handover-values-\(sharing)", sharing: sharing)
        #expect(await peer.call(Self.request, stream: 1))
        #expect(await inputs.next() == .request(session: 1, stream: 1, Self.request))
        await endpoint.send(Self.event, stream: 1, to: 1)
        #expect(await events.next() == .event(stream: 1, Self.event))
        let status = Status(.notFound, .none, "nothing there")
        await endpoint.end(stream: 1, of: 1, status)
        #expect(await events.next() == .end(stream: 1, status))
        await endpoint.send([1, 2], stream: 1, to: 1)
        #expect(await events.next() == .item(stream: 1, body: [1, 2]), "bytes are handed over, too")
        await peer.stop()
        await endpoint.stop()
    }

    @Test("What a peer elsewhere gets are the bytes that it always got, beside one of this thread")
    func insideAndOutside() async throws {
        var (endpoint, address, peer, events, inputs) = try await pair("handover-both")
        let outside = ConnectedPeer()
        var heard = outside.events.makeAsyncIterator()
        try await outside.connect(to: address)
        #expect(await heard.next() == .opened(session: 2))
        #expect(await outside.call(Self.request, stream: 1))
        #expect(await inputs.next() == .call(session: 2, stream: 1, body: Self.request.encode()))
        #expect(await peer.call(Self.request, stream: 1))
        #expect(await inputs.next() == .request(session: 1, stream: 1, Self.request))
        for session in [1, 2] as [UInt64] { await endpoint.send(Self.event, stream: 1, to: session) }
        #expect(await events.next() == .event(stream: 1, Self.event))
        #expect(await heard.next() == .item(stream: 1, body: Self.event.encode()))
        for one in [peer, outside] { await one.stop() }
        await endpoint.stop()
    }

    @Test("What encoding would change arrives changed, from a peer of this thread as well")
    func changed() async throws {
        var (endpoint, _, peer, _, inputs) = try await pair("handover-changed")
        let request = GenerateRequest(input: .text("a\0b"), maxTokens: 1)
        #expect(await peer.call(request, stream: 1))
        #expect(await inputs.next() == .call(session: 1, stream: 1, body: request.encode()))
        await peer.stop()
        await endpoint.stop()
    }

    @Test("What breaks the protocol is refused, and ends the session")
    func refused() async throws {
        var (endpoint, _, peer, events, inputs) = try await pair("handover-refused")
        #expect(await peer.send(.call, method: .work, stream: 1))
        guard case .end(1, let status) = await events.next() else {
            Issue.record("a method that is not served has to be refused")
            return
        }
        #expect(status?.reason == .wrongRole)
        #expect(await peer.call(Self.request, stream: 5))
        #expect(await inputs.next() == .request(session: 1, stream: 5, Self.request))
        #expect(await peer.call(Self.request, stream: 4))
        #expect(await inputs.next() == .ended(session: 1))
        #expect(await events.next() == .lost(.protocolViolation))
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A full endpoint gets the rest as bytes when it has room, in order")
    func fullEndpoint() async throws {
        var (endpoint, _, peer, _, inputs) = try await pair("handover-full-endpoint")
        let request = GenerateRequest(input: .text("t"), maxTokens: 1)
        await peer.call([GenerateRequest](repeating: request, count: 3000))
        var values = 0
        for stream in 1...3000 as ClosedRange<UInt64> {
            let input = await inputs.next()
            let isValue = input == .request(session: 1, stream: stream, request)
            if isValue { values += 1 }
            #expect(isValue || input == .call(session: 1, stream: stream, body: request.encode()))
        }
        #expect(values < 3000)
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A full peer gets the rest as bytes when it has room, in order")
    func fullPeer() async throws {
        var (endpoint, _, peer, events, _) = try await pair("handover-full-peer")
        await endpoint.sendApart([GenerateEvent](repeating: Self.event, count: 3000), to: 1)
        var values = 0
        for stream in 1...3000 as ClosedRange<UInt64> {
            let event = await events.next()
            let isValue = event == .event(stream: stream, Self.event)
            if isValue { values += 1 }
            #expect(isValue || event == .item(stream: stream, body: Self.event.encode()))
        }
        #expect(values < 3000)
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A goodbye ends the session at both ends")
    func goodbye() async throws {
        var (endpoint, _, peer, events, _) = try await pair("handover-goodbye")
        await endpoint.sayGoodbye()
        #expect(await events.next() == .lost(.shuttingDown))
        await peer.stop()
        await endpoint.stop()
    }
}
