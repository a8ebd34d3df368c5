import AccessControl
import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

extension SecurityTests {
    @Suite struct Endpoints {
        @Test func `A session belongs to the principal whose key opened it`() async throws {
            let guarded = try Guarded()
            defer { guarded.checker.stop() }
            let keys = guarded.peer()
            try guarded.register([("alice", .frontend, keys)])
            let endpoint = ServedEndpoint(security: guarded.endpoint)
            let peer = ConnectedPeer()
            var events = peer.events.makeAsyncIterator()
            var inputs = endpoint.events.makeAsyncIterator()
            try await peer.connect(to: endpoint.open(), keys: keys)
            #expect(await events.next() == .opened(session: 1))
            #expect(await endpoint.principal(of: 1)?.name == "alice")
            #expect(await endpoint.principal(of: 1)?.tenant == "of-alice")
            #expect(await peer.send(.call, stream: 1, body: [1]))
            #expect(await inputs.next() == .call(session: 1, stream: 1, body: [1]))
            await peer.stop()
            await endpoint.stop()
        }

        @Test func `A revoked key's live session ends with a reason, and nothing it sends has effect`() async throws {
            let guarded = try Guarded()
            defer { guarded.checker.stop() }
            let (alice, bob) = (guarded.peer(), guarded.peer())
            let people: [(name: String, role: Role, keys: PeerKeys)] = [
                ("alice", .frontend, alice), ("bob", .frontend, bob),
            ]
            try guarded.register(people)
            let endpoint = ServedEndpoint(security: guarded.endpoint)
            let (first, second) = (ConnectedPeer(), ConnectedPeer())
            var firstEvents = first.events.makeAsyncIterator()
            var secondEvents = second.events.makeAsyncIterator()
            var inputs = endpoint.events.makeAsyncIterator()
            let address = try await endpoint.open()
            try await first.connect(to: address, keys: alice)
            #expect(await firstEvents.next() == .opened(session: 1))
            try await second.connect(to: address, keys: bob)
            #expect(await secondEvents.next() == .opened(session: 2))

            try guarded.register(people, revoked: ["alice"])
            _ = await first.send(.call, stream: 1, body: [66])
            #expect(await inputs.next() == .ended(session: 1))
            #expect(await firstEvents.next() == .lost(.keyRevoked))
            #expect(await endpoint.principal(of: 1) == nil)
            // Whoever else there is goes on, and the call of the revoked one never came through.
            #expect(await second.send(.call, stream: 1, body: [7]))
            #expect(await inputs.next() == .call(session: 2, stream: 1, body: [7]))
            await first.stop()
            await second.stop()
            await endpoint.stop()
        }

        @Test func `One principal's sessions are bounded, another's are not touched by that`() async throws {
            let guarded = try Guarded()
            defer { guarded.checker.stop() }
            let (alice, bob) = (guarded.peer(), guarded.peer())
            try guarded.register([("alice", .frontend, alice), ("bob", .frontend, bob)])
            let endpoint = ServedEndpoint(security: guarded.endpoint) { $0.peers.sessionsPerPrincipal = 1 }
            let peers = [ConnectedPeer(), ConnectedPeer(), ConnectedPeer()]
            var events = peers.map { $0.events.makeAsyncIterator() }
            let address = try await endpoint.open()
            try await peers[0].connect(to: address, keys: alice)
            #expect(await events[0].next() == .opened(session: 1))
            try await peers[1].connect(to: address, keys: alice)
            #expect(await events[1].next() == .lost(.tooManySessions))
            try await peers[2].connect(to: address, keys: bob)
            guard case .opened? = await events[2].next() else {
                Issue.record("bob was not welcomed")
                return
            }
            for peer in peers { await peer.stop() }
            await endpoint.stop()
        }
    }
}
