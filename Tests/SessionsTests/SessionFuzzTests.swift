import Foundation
import Logging
import Messages
import ServingModel
import Testing
import ZeroMQ

@testable import Sessions

/// Frames of many peers at once, mutated, through the part of the broker that reads every one of them first.
///
/// `ALADDIN_FUZZ_ROUNDS` and `ALADDIN_FUZZ_SEED` as in the fuzzing of messages.
@Suite("Fuzzing of sessions")
struct SessionFuzzTests {
    private static func setting(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }

    /// What a peer might say now, sound or not.
    private struct Speaker {
        var random: SeededGenerator
        /// Of connections that exist: an answer to any other ends its session.
        let routes: [RoutingID]
        var sessions: [UInt64] = [0]

        private mutating func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

        mutating func message() -> Incoming {
            let kind = FrameKind.allCases[number(below: FrameKind.allCases.count)]
            let isStream = [.call, .item, .end, .cancel].contains(kind)
            let body: [UInt8] =
                kind == .hello ? Hello(software: "fuzz", name: "fuzz").encode() : [1, 2, 3].dropLast(number(below: 4))
            var header = FrameHeader(
                kind: kind,
                method: isStream ? [.generate, .attach, .work][number(below: 3)] : .unspecified,
                session: kind == .hello ? 0 : sessions[number(below: sessions.count)],
                stream: isStream ? UInt64(1 + number(below: 1_000_000)) : 0,
                bodyLength: body.count
            ).encode()
            var frames = [body]
            if number(below: 3) == 0 { header[number(below: header.count)] ^= 1 << UInt8(number(below: 8)) }
            if number(below: 20) == 0 { header.removeLast(number(below: header.count + 1)) }
            if number(below: 20) == 0 { frames[0] += (0..<number(below: 64)).map { UInt8($0) } }
            frames.insert(header, at: 0)
            if number(below: 30) == 0 { frames.removeLast(1 + number(below: 2)) }
            return Incoming(
                from: number(below: 50) == 0 ? nil : routes[number(below: routes.count)],
                frames: frames,
                excessFrames: number(below: 50) == 0 ? 1 : 0
            )
        }
    }

    @Test("No frame breaks the endpoint: its books stay bounded, and only what is open is heard")
    func garbage() throws {
        var configuration = SessionConfiguration()
        configuration.maximumSessions = 5
        var next: UInt64 = 1
        let endpoint = try SessionEndpoint(
            address: "inproc://fuzzed-\(UInt64.random(in: .min ... .max))",
            methods: [.generate],
            brokerName: "fuzz",
            configuration: configuration,
            makeSessionNumber: {
                defer { next += 1 }
                return next
            },
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
        )
        defer { endpoint.close(Status(.unavailable, .shuttingDown)) }
        let rounds = Self.setting("ALADDIN_FUZZ_ROUNDS", 130_000) / 10
        let seed = UInt64(Self.setting("ALADDIN_FUZZ_SEED", 4711))
        let peers = try (0..<6).map { _ in
            let peer = try Socket(.dealer, options: SocketOptions())
            try peer.connect(endpoint.address)
            _ = peer.send([[0]], to: nil)
            return peer
        }
        let routes = peers.indices.compactMap { _ in endpoint.socket.receive()?.from }
        try #require(routes.count == peers.count)
        var speaker = Speaker(random: SeededGenerator(seed: seed), routes: routes)
        var heard = 0
        var ended: Set<UInt64> = []
        for round in 0..<rounds {
            let now = Instant(nanoseconds: Int64(round) * 1_000_000)
            endpoint.process(speaker.message(), at: now) { input in
                switch input {
                case .call(let session, _, let method, _), .item(let session, _, let method, _):
                    heard += 1
                    #expect(!ended.contains(session) && method == .generate, "seed \(seed), round \(round)")
                case .cancel(let session, _):
                    #expect(!ended.contains(session), "seed \(seed), round \(round)")
                case .ended:
                    break
                }
            }
            endpoint.reportEnds { if case .ended(let session) = $0 { ended.insert(session) } }
            #expect(endpoint.sessionCount <= 5, "seed \(seed), round \(round)")
            speaker.sessions = [0, 1] + endpoint.table.openNumbers
            if round % 100 == 99 {
                for peer in peers { while peer.receive() != nil {} }
                _ = endpoint.cycle(at: now) { if case .ended(let session) = $0 { ended.insert(session) } }
            }
        }
        print("fuzzed sessions: \(rounds) messages, \(heard) heard, \(endpoint.malformedFrames) malformed")
        #expect(rounds < 1000 || heard > 0 && endpoint.malformedFrames > 0)
    }
}
