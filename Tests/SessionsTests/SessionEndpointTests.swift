import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

@Suite("Sessions over sockets", .timeLimit(.minutes(1)))
struct SessionEndpointTests {
    @Test("A peer is welcomed, calls, is answered and says goodbye")
    func lives() async throws {
        let endpoint = ServedEndpoint()
        let peer = ConnectedPeer()
        var inputs = endpoint.events.makeAsyncIterator()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: endpoint.open())
        #expect(await events.next() == .opened(session: 1))
        #expect(await endpoint.name(of: 1) == "peer")
        #expect(await peer.send(.call, stream: 1, body: [1, 2]))
        #expect(await inputs.next() == .call(session: 1, stream: 1, body: [1, 2]))
        await endpoint.send([3], stream: 1, to: 1)
        #expect(await events.next() == .item(stream: 1, body: [3]))
        #expect(await peer.send(.item, stream: 1, body: []))
        #expect(await inputs.next() == .item(session: 1, stream: 1, body: []))
        #expect(await peer.send(.cancel, stream: 1))
        #expect(await inputs.next() == .cancel(session: 1, stream: 1))
        await peer.close()
        #expect(await inputs.next() == .ended(session: 1))
        #expect(await endpoint.sessionCount() == 0)
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A method that is not served here is answered, and costs nothing more")
    func wrongMethod() async throws {
        let endpoint = ServedEndpoint()
        let peer = ConnectedPeer()
        var inputs = endpoint.events.makeAsyncIterator()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: endpoint.open())
        #expect(await events.next() == .opened(session: 1))
        #expect(await peer.send(.call, method: .work, stream: 1))
        guard case .end(1, let status?)? = await events.next() else {
            Issue.record("no answer")
            return
        }
        #expect(status.reason == .wrongRole)
        #expect(await peer.send(.call, stream: 2))
        #expect(await inputs.next() == .call(session: 1, stream: 2, body: []))
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A stream number that does not increase breaks the session; the peer starts a new one")
    func streamNumbers() async throws {
        let endpoint = ServedEndpoint()
        let peer = ConnectedPeer()
        var inputs = endpoint.events.makeAsyncIterator()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: endpoint.open())
        #expect(await events.next() == .opened(session: 1))
        #expect(await peer.send(.call, stream: 5))
        #expect(await inputs.next() == .call(session: 1, stream: 5, body: []))
        #expect(await peer.send(.call, stream: 5))
        #expect(await inputs.next() == .ended(session: 1))
        #expect(await events.next() == .lost(.protocolViolation))
        #expect(await events.next() == .opened(session: 2))
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A peer finds the endpoint again when it restarts on the same port")
    func reconnects() async throws {
        let first = ServedEndpoint()
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        let address = try await first.open(ServedEndpoint.ownAddress())
        try await peer.connect(to: address)
        #expect(await events.next() == .opened(session: 1))
        await first.stop()
        let second = ServedEndpoint(firstSession: 100)
        // The port is free once libzmq's thread has closed it.
        while (try? await second.open(address)) == nil {
            try Task.checkCancellation()
            await Task.yield()
        }
        var event = await events.next()
        while case .lost? = event { event = await events.next() }
        guard case .opened(let session)? = event else {
            Issue.record("\(String(describing: event))")
            return
        }
        #expect(session >= 100)
        var inputs = second.events.makeAsyncIterator()
        #expect(await peer.send(.call, stream: 1))
        #expect(await inputs.next() == .call(session: session, stream: 1, body: []))
        await peer.stop()
        await second.stop()
    }

    @Test("A peer that vanishes without a word is noticed")
    func vanishes() async throws {
        let endpoint = ServedEndpoint { $0.sessionTimeout = .seconds(2) }
        let peer = ConnectedPeer()
        var inputs = endpoint.events.makeAsyncIterator()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: endpoint.open())
        #expect(await events.next() == .opened(session: 1))
        await peer.stop()
        #expect(await inputs.next() == .ended(session: 1))
        #expect(await endpoint.sessionCount() == 0)
        await endpoint.stop()
    }

    @Test("A peer beyond the bound is refused until there is room")
    func tooMany() async throws {
        let endpoint = ServedEndpoint { $0.maximumSessions = 1 }
        let first = ConnectedPeer()
        let second = ConnectedPeer()
        var events = first.events.makeAsyncIterator()
        var others = second.events.makeAsyncIterator()
        let address = try await endpoint.open()
        try await first.connect(to: address)
        #expect(await events.next() == .opened(session: 1))
        try await second.connect(to: address)
        #expect(await others.next() == .lost(.tooManySessions))
        await first.close()
        var event = await others.next()
        while case .lost? = event { event = await others.next() }
        guard case .opened? = event else {
            Issue.record("\(String(describing: event))")
            return
        }
        await first.stop()
        await second.stop()
        await endpoint.stop()
    }
}
