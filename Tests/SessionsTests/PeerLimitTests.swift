import AccessControl
import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

@Suite("What one peer may ask of an endpoint", .timeLimit(.minutes(1)))
struct PeerLimitTests {
    private func time(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    private func principal(_ name: String) -> Principal {
        Principal(name: name, role: .frontend, tenant: nil, proof: .curve(CurveKeyPair().publicKey), created: 1)
    }

    @Test("A bucket gives its burst at once and then its rate, and never saves up more than the burst")
    func bucket() {
        var bucket = TokenBucket(Rate(perSecond: 10, burst: 3), at: time(0))
        func taken(at milliseconds: Int64) -> Int {
            var count = 0
            while bucket.take(at: time(milliseconds)) { count += 1 }
            return count
        }
        #expect(taken(at: 0) == 3)
        #expect(taken(at: 99) == 0)
        #expect(taken(at: 200) == 2)
        #expect(taken(at: 60_000) == 3)
        // A clock that stands still or goes back gives nothing away.
        #expect(taken(at: 59_000) == 0)
    }

    @Test("A frame under another's key is refused, even from the session's own connection")
    func otherUser() throws {
        var table = SessionTable<String>(timeout: .seconds(1), maximumSessions: 8)
        _ = try table.open(
            number: 1,
            route: "a",
            name: "n",
            software: "s",
            principal: principal("alice"),
            at: time(0)
        )
        #expect(table.hear(session: 1, from: "a", user: "alice", at: time(1)) == .accepted(session: 1))
        for user in ["bob", nil] {
            guard case .refused(let status) = table.hear(session: 1, from: "a", user: user, at: time(2)) else {
                Issue.record("accepted from \(user ?? "nobody")")
                return
            }
            #expect(status.reason == .staleSession)
        }
    }

    @Test("Sessions are counted by principal; those that end, and those replaced on their connection, count no more")
    func sessionsPerPrincipal() throws {
        var limits = PeerLimits()
        limits.sessionsPerPrincipal = 2
        var table = SessionTable<String>(timeout: .seconds(1), maximumSessions: 8, limits: limits)
        let alice = principal("alice")
        func open(_ number: UInt64, _ route: String, _ principal: Principal) throws {
            _ = try table.open(number: number, route: route, name: "", software: "", principal: principal, at: time(0))
        }
        try open(1, "a", alice)
        try open(2, "b", alice)
        #expect(throws: Status.self) { try open(3, "c", alice) }
        try open(4, "d", principal("bob"))
        try open(5, "b", alice)
        #expect(throws: Status.self) { try open(6, "c", alice) }
        table.close(1)
        try open(7, "c", alice)
        #expect(throws: Status.self) { try open(8, "e", alice) }
        #expect(table.sessions { $0.name != "alice" } == [5, 7])
    }

    @Test("Each call may be cancelled once at any time; what is beyond counts as a flood does")
    func cancellations() throws {
        var limits = PeerLimits()
        limits.controls = Rate(perSecond: 0, burst: 2)
        var table = SessionTable<String>(timeout: .seconds(1), maximumSessions: 8, limits: limits)
        _ = try table.open(number: 1, route: "a", name: "", software: "", at: time(0))
        func cancel(in number: UInt64 = 1) -> Bool { table.noteCancellation(in: number, at: time(0)) }
        func ping() -> Bool { table.noteControl(in: 1, at: time(0)) }
        for stream in 1...UInt64(100) { try table.open(stream: stream, in: 1) }
        for _ in 1...100 { #expect(cancel()) }
        #expect(cancel())
        #expect(ping())
        #expect(!cancel())
        try table.open(stream: 101, in: 1)
        #expect(cancel())
        #expect(!ping())
        #expect(!cancel(in: 2))
    }

    @Test("A flood of pings ends the session with a reason")
    func controls() async throws {
        let endpoint = ServedEndpoint { $0.peers.controls = Rate(perSecond: 0, burst: 4) }
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: endpoint.open())
        #expect(await events.next() == .opened(session: 1))
        for _ in 0..<5 { _ = await peer.send(.ping, method: .unspecified, stream: 0) }
        #expect(await events.next() == .lost(.tooFast))
        await peer.stop()
        await endpoint.stop()
    }

    @Test("A hello too many is refused with a hint when to try again")
    func hellos() async throws {
        let endpoint = ServedEndpoint { $0.peers.hellos = Rate(perSecond: 0, burst: 1) }
        let (first, second) = (ConnectedPeer(), ConnectedPeer())
        var firstEvents = first.events.makeAsyncIterator()
        var secondEvents = second.events.makeAsyncIterator()
        let address = try await endpoint.open()
        try await first.connect(to: address)
        #expect(await firstEvents.next() == .opened(session: 1))
        try await second.connect(to: address)
        #expect(await secondEvents.next() == .lost(.tooFast))
        await first.stop()
        await second.stop()
        await endpoint.stop()
    }
}
