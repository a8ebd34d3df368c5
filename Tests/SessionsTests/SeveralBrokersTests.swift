import Messages
import ServingModel
import Sessions
import Synchronization
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
        // Nobody else may come to the old one's address, where the peer goes on looking.
        try await peer.connect(to: "\(old.open(ServedEndpoint.ownAddress())),\(next)")
        #expect(await events.next() == .opened(session: 1))
        await old.stop()
        // More than the sockets take of what nobody reads.
        for stream in 0..<waiting { _ = await peer.send(.call, stream: stream + 1, body: [4]) }
        let new = ServedEndpoint(firstSession: 100)
        let seen = Transcript()
        async let served: Void = Self.answer(new, seen)
        _ = try await new.open(next)
        seen.add("the new one is open")
        let first = await events.next()
        seen.add("the peer: \(String(describing: first))")
        #expect(first == .lost(.sessionExpired))
        var isAnswered = false
        while !isAnswered, let event = await events.next() {
            seen.add("the peer: \(event)")
            switch event {
            case .opened(let session):
                // On a slow machine it may have been greeted more than once, and may lose that session, too.
                #expect(session >= 100)
                let isSent = await peer.send(.call, stream: 1, body: [5])
                seen.add("the call is sent: \(isSent)")
            case .lost: break
            case .end(let stream, let status):
                #expect(stream == 1 && status == .ok)
                isAnswered = true
            case .item, .event: Issue.record("\(event) came unasked")
            }
        }
        #expect(isAnswered, "\(seen)")
        await peer.stop()
        await new.stop()
        await served
    }

    /// Ends every call well; there must be none of the old session.
    private static func answer(_ endpoint: ServedEndpoint, _ seen: Transcript) async {
        for await input in endpoint.events {
            seen.add("the new one: \(input)")
            guard case .call(let session, let stream, let body) = input else { continue }
            #expect(stream == 1 && body == [5])
            await endpoint.end(stream: stream, of: session, .ok)
        }
    }

    @Test("A broker that ends its session is left for the other one")
    func goodbye() async throws {
        let old = ServedEndpoint(firstSession: 1)
        let new = ServedEndpoint(firstSession: 100)
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        let next = Self.freeAddress()
        try await peer.connect(to: "\(next),\(old.open(ServedEndpoint.ownAddress()))")
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

/// What was seen when, in milliseconds since the beginning, so that a failure explains itself.
private final class Transcript: Sendable, CustomStringConvertible {
    private let begin = ContinuousClock.now
    private let lines = Mutex<[String]>([])

    var description: String { lines.withLock { $0.joined(separator: "\n") } }

    func add(_ line: String) {
        let time = (ContinuousClock.now - begin) / .milliseconds(1)
        lines.withLock { $0.append("\(Int(time)) \(line)") }
    }
}
