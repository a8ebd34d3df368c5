import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

@Suite("A peer with several brokers", .timeLimit(.minutes(1)))
struct SeveralBrokersTests {
    /// An address where nobody listens yet, and nobody else's test will.
    private static func freeAddress() -> String {
        "ipc:///tmp/aladdin-sessions-\(UInt64.random(in: .min ... .max))"
    }

    @Test("The one that answers is found, wherever it stands in the list")
    func first() async throws {
        let nobody = Self.freeAddress()
        for isFirst in [true, false] {
            let endpoint = ServedEndpoint(firstSession: 7)
            let peer = ConnectedPeer()
            var events = peer.events.makeAsyncIterator()
            let address = try await endpoint.open()
            try await peer.connect(to: isFirst ? "\(address),\(nobody)" : "\(nobody),\(address)")
            #expect(await events.next() == .opened(session: 7))
            await peer.close()
            await peer.stop()
            await endpoint.stop()
        }
    }

    @Test(
        "When its broker falls silent and another one answers, it is that one's at once, and sends it nothing of the old session",
        arguments: [0, 5000]
    )
    func takeover(waiting: UInt64) async throws {
        let old = ServedEndpoint(firstSession: 1)
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        let next = Self.freeAddress()
        try await peer.connect(to: "\(old.open()),\(next)")
        #expect(await events.next() == .opened(session: 1))
        await old.stop()
        // More than the sockets take of what nobody reads.
        for stream in 0..<waiting { _ = await peer.send(.call, stream: stream + 1, body: [4]) }
        let new = ServedEndpoint(firstSession: 100)
        var inputs = new.events.makeAsyncIterator()
        _ = try await new.open(next)
        #expect(await events.next() == .lost(.sessionExpired))
        // On a slow machine it may have been greeted more than once.
        guard case .opened(let session)? = await events.next() else {
            Issue.record("no session with the other broker")
            return
        }
        #expect(session >= 100)
        #expect(await peer.send(.call, stream: 1, body: [5]))
        while let input = await inputs.next() {
            guard case .call = input else { continue }
            #expect(input == .call(session: session, stream: 1, body: [5]))
            break
        }
        await new.end(stream: 1, of: session, .ok)
        #expect(await events.next() == .end(stream: 1, .ok))
        await peer.stop()
        await new.stop()
    }

    @Test("A broker that ends its session is left for the other one")
    func goodbye() async throws {
        let old = ServedEndpoint(firstSession: 1)
        let new = ServedEndpoint(firstSession: 100)
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        let next = Self.freeAddress()
        try await peer.connect(to: "\(next),\(old.open())")
        #expect(await events.next() == .opened(session: 1))
        _ = try await new.open(next)
        await old.sayGoodbye()
        await old.stop()
        guard case .lost? = await events.next() else {
            Issue.record("the goodbye was not heard")
            return
        }
        // The new one may have been greeted before, in a moment of the old one's silence.
        guard case .opened(let session)? = await events.next() else {
            Issue.record("no session with the other broker")
            return
        }
        #expect(session >= 100)
        await peer.stop()
        await new.stop()
    }

    @Test("A broker that refuses is no reason not to go to the other; when all refuse, that is told")
    func refusals() async throws {
        let strict = ServedEndpoint { $0.maximumSessions = 0 }
        let open = ServedEndpoint(firstSession: 50)
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: "\(strict.open()),\(open.open())")
        #expect(await events.next() == .opened(session: 50))
        await peer.stop()
        let unlucky = ConnectedPeer()
        var refused = unlucky.events.makeAsyncIterator()
        let other = ServedEndpoint { $0.maximumSessions = 0 }
        let again = ServedEndpoint { $0.maximumSessions = 0 }
        try await unlucky.connect(to: "\(again.open()),\(other.open())")
        #expect(await refused.next() == .lost(.tooManySessions))
        await unlucky.stop()
        await strict.stop()
        await again.stop()
        await other.stop()
        await open.stop()
    }
}
