internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// Peers that break the rules of the protocol, on each endpoint.
    @Suite struct HostilePeers {
        private static func service() async throws -> (Service, TemporaryDirectory) {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 0.1)
            return (try await Service.up("--engine", "emulated", "--profile", profile), files)
        }

        private static func expectGood(_ service: Service, _ after: String) async throws {
            let answers = try await Failover.answers(service.endpoints, [.chat("Hi", maxTokens: 8)])
            #expect(answers[0].failure == nil && answers[0].count == 8, "after \(after)")
            #expect(service.process.isRunning)
        }

        private static func all(_ endpoints: Endpoints) -> [(name: String, address: String, method: Messages.Method)] {
            [
                ("frontend", endpoints.frontend, .generate), ("worker", endpoints.worker, .work),
                ("scheduler", endpoints.scheduler, .schedule), ("admin", endpoints.admin, .getStatus),
            ]
        }

        @Test func `Frames that cannot be read are answered with what is wrong, on each endpoint`() async throws {
            let (service, files) = try await Self.service()
            var version = FrameHeader(kind: .hello, session: 0, bodyLength: 0).encode()
            version[3] = 9
            var magic = FrameHeader(kind: .hello, session: 0, bodyLength: 0).encode()
            magic[0] = UInt8(ascii: "X")
            var kind = FrameHeader(kind: .ping, session: 0, bodyLength: 0).encode()
            kind[5] = 77
            let random = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
            let cases: [(String, [[UInt8]], StatusCode, Reason)] = [
                ("another version", [version], .unimplemented, .unsupportedVersion),
                ("a wrong magic", [magic], .invalidArgument, .protocolViolation),
                ("an unknown kind", [kind], .invalidArgument, .protocolViolation),
                ("random bytes", [random], .invalidArgument, .protocolViolation),
                ("random bytes in two frames", [random, random], .invalidArgument, .protocolViolation),
                ("an empty frame", [[]], .invalidArgument, .protocolViolation),
                (
                    "a wrong length", [FrameHeader(kind: .hello, session: 0, bodyLength: 5).encode(), [1]],
                    .invalidArgument, .protocolViolation
                ),
                (
                    "a hello of garbage",
                    [FrameHeader(kind: .hello, session: 0, bodyLength: 3).encode(), [255, 255, 255]], .invalidArgument,
                    .malformed
                ),
                (
                    "a session that never was",
                    [FrameHeader(kind: .ping, session: 987_654, bodyLength: 0).encode(), []], .failedPrecondition,
                    .staleSession
                ),
            ]
            for endpoint in Self.all(service.endpoints) {
                for (name, frames, code, reason) in cases {
                    let status = try await blocking {
                        let peer = RawPeer(endpoint.address)
                        peer.send(frames)
                        return try peer.receiveStatus(.error)
                    }
                    #expect(status.code == code, "\(name) on \(endpoint.name): \(status)")
                    #expect(status.reason == reason, "\(name) on \(endpoint.name): \(status)")
                }
                try await Self.expectGood(service, "unreadable frames on \(endpoint.name)")
            }
            _ = files
        }

        @Test func `What must not be answered is dropped, and the same peer can behave afterwards`() async throws {
            let (service, files) = try await Self.service()
            for endpoint in Self.all(service.endpoints) {
                try await blocking {
                    let many = RawPeer(endpoint.address)
                    many.send([[UInt8]](repeating: [1, 2, 3], count: 1000))
                    try many.greet()
                    // A frame beyond the limit costs its sender the connection; libzmq connects again.
                    let huge = RawPeer(endpoint.address)
                    try huge.greet()
                    let size = 6 << 20
                    huge.send([
                        FrameHeader(kind: .ping, session: 0, bodyLength: size).encode(),
                        [UInt8](repeating: 7, count: size),
                    ])
                    let foreign = RawPeer(endpoint.address, routingID: Array("mine".utf8))
                    foreign.send(.hello, body: Hello(software: "test", name: "foreign").encode())
                }
                try await Self.expectGood(service, "dropped messages on \(endpoint.name)")
            }
            _ = files
        }

        @Test func `A method called on the wrong endpoint is refused by name of the role`() async throws {
            let (service, files) = try await Self.service()
            for endpoint in Self.all(service.endpoints) {
                for method in [Messages.Method.generate, .work, .schedule, .getStatus] where method != endpoint.method {
                    let status = try await blocking {
                        let peer = RawPeer(endpoint.address)
                        try peer.greet()
                        peer.send(.call, method, stream: 1)
                        return try peer.receiveStatus(.end)
                    }
                    #expect(
                        status.code == .permissionDenied && status.reason == .wrongRole,
                        "\(method) on \(endpoint.name)"
                    )
                }
            }
            try await Self.expectGood(service, "wrong methods")
            _ = files
        }

        @Test func `Calls of garbage end with their reason, and broken stream rules end the session`() async throws {
            let (service, files) = try await Self.service()
            let garbage: [UInt8] = [0xFF, 0x13, 0x37, 0x00, 0xFE]
            for endpoint in Self.all(service.endpoints) where endpoint.name != "admin" {
                let (call, stream) = try await blocking {
                    let peer = RawPeer(endpoint.address)
                    try peer.greet()
                    peer.send(.call, endpoint.method, stream: 5, body: garbage)
                    let call = try peer.receiveStatus(.end)
                    peer.send(.call, endpoint.method, stream: 5, body: garbage)
                    return (call, try peer.receiveStatus(.error))
                }
                #expect(call.code == .invalidArgument && call.reason == .malformed, "\(endpoint.name): \(call)")
                #expect(
                    stream.code == .failedPrecondition && stream.reason == .protocolViolation,
                    "\(endpoint.name): \(stream)"
                )
            }
            let stale = try await blocking {
                let peer = RawPeer(service.endpoints.frontend)
                try peer.greet()
                peer.send(.goodbye)
                peer.send(.call, .generate, stream: 1)
                return try peer.receiveStatus(.error)
            }
            #expect(stale.code == .failedPrecondition && stale.reason == .staleSession)
            let unknown = try await blocking {
                let peer = RawPeer(service.endpoints.frontend)
                try peer.greet()
                let id = "00000000-0000-7000-8000-000000000000"
                peer.send(.call, .attach, stream: 1, body: AttachRequest(queryID: id, firstIndex: 0).encode())
                return try peer.receiveStatus(.end)
            }
            #expect(unknown.code == .notFound && unknown.reason == .unknownQuery)
            try await Self.expectGood(service, "garbage in calls")
            _ = files
        }

        @Test func `Workers that register nonsense are refused with words`() async throws {
            let (service, files) = try await Self.service()
            let good = try #require(try await service.endpoints.status().workers.first).profile
            func registration(
                _ contextLength: Int = 1000,
                _ change: (inout LatencyProfile) -> Void
            ) -> WorkerRegistration {
                var profile = good
                profile.model = "nonsense"
                change(&profile)
                return WorkerRegistration(
                    name: "raw",
                    engine: "raw",
                    contextLength: contextLength,
                    resumesPrefix: true,
                    batching: .chunked,
                    profile: profile
                )
            }
            let cases: [(String, WorkerRegistration)] = [
                ("c1_ms", registration { $0.prefill.c1Milliseconds = -1 }),
                ("capacity_tokens", registration { $0.kvCache.capacityTokens = 0 }),
                ("model", registration { $0.model = "" }),
                ("context_length", registration(0) { _ in }),
            ]
            for (word, bad) in cases {
                let status = try await blocking {
                    let peer = RawPeer(service.endpoints.worker)
                    try peer.greet()
                    peer.send(.call, .work, stream: 1, body: WorkerReport.registration(bad).encode())
                    return try peer.receiveStatus(.end)
                }
                #expect(status.code == .invalidArgument, "\(word): \(status)")
                #expect(status.message.contains(word), "\(word): \(status)")
            }
            #expect(try await service.endpoints.status().workers.count == 2)
            try await Self.expectGood(service, "nonsense registrations")
            _ = files
        }

        @Test func `A registered worker that reports nonsense loses its session and harms nobody`() async throws {
            let (service, files) = try await Self.service()
            var profile = try #require(try await service.endpoints.status().workers.first).profile
            profile.model = "imitation"
            let registration = WorkerRegistration(
                name: "liar",
                engine: "raw",
                contextLength: 1000,
                resumesPrefix: true,
                batching: .chunked,
                profile: profile
            )
            let progress = LeaseProgress(
                lease: Lease(rawValue: 0xDEAD_BEEF_DEAD_BEEF),
                tokens: TokensEvent(firstIndex: 1 << 30, count: 1 << 30, ids: [], text: "lies")
            )
            let step = StepReport(
                workload: nil,
                duration: .zero,
                progress: [progress],
                waiting: 1 << 30,
                freeKVTokens: 1 << 30
            )
            let reports: [[UInt8]] = [
                WorkerReport.step(step).encode(), WorkerReport.pull(granted: .max).encode(), [0xFF, 0xFF],
                WorkerReport.registration(registration).encode(),
            ]
            for report in reports {
                try await blocking {
                    let peer = RawPeer(service.endpoints.worker)
                    try peer.greet()
                    peer.send(.call, .work, stream: 1, body: WorkerReport.registration(registration).encode())
                    _ = try peer.receive()
                    peer.send(.item, .work, stream: 1, body: report)
                    peer.send(.goodbye)
                }
                try await service.endpoints.status("the liar gone") { $0.workers.count == 2 }
                try await Self.expectGood(service, "a worker's lies")
            }
            _ = files
        }

        @Test func `A session is told its limits, and may give up all of its calls at once`() async throws {
            let files = try TemporaryDirectory()
            let calls: UInt64 = 6000
            let profile = try files.profile(stepMilliseconds: 0.1)
            let service = try await Service.up(
                "--engine",
                "emulated",
                "--profile",
                profile,
                "--max-session-queries",
                "\(calls)"
            )
            try await blocking {
                let peer = RawPeer(service.endpoints.frontend)
                #expect(try peer.greet().limits.openCalls == Int(calls))
                let body = GenerateRequest(input: .text("Hello"), maxTokens: 100_000).encode()
                for stream in 1...calls { peer.send(.call, .generate, stream: stream, body: body) }
                for stream in 1...calls { peer.send(.cancel, .generate, stream: stream) }
                var open = Set(1...calls)
                while !open.isEmpty {
                    let (header, _) = try peer.receive()
                    let isSecondEnd = header.kind == .end && open.remove(header.stream) == nil
                    #expect(!isSecondEnd)
                    try #require(header.kind != .error)
                }
            }
            try await Self.expectGood(service, "giving up")
            _ = files
        }

        @Test func `A client that stops reading disturbs nobody and is let go`() async throws {
            let (service, files) = try await Self.service()
            let sleeper = ServiceProcess(["query", "--max-tokens", "100000", "Hello"] + service.endpoints.flags)
            _ = try await service.endpoints.status("a running query") { $0.model?.running == 1 }
            sleeper.kill(SIGSTOP)
            let deaf = try await blocking {
                let peer = RawPeer(service.endpoints.frontend, receiveHighWaterMark: 1)
                try peer.greet()
                let request = GenerateRequest(input: .text("Hello"), maxTokens: 100_000)
                peer.send(.call, .generate, stream: 1, body: request.encode())
                _ = try peer.receive()
                return peer
            }
            let others = try await Failover.answers(
                service.endpoints,
                (0..<16).map { .chat("Number \($0)", maxTokens: 200) }
            )
            #expect(others.allSatisfy { $0.failure == nil && $0.count == 200 && $0.gaps == 0 && $0.repeats == 0 })
            try await service.endpoints.status("both gone") { $0.model?.running == 0 && $0.frontendSessions <= 1 }
            sleeper.kill(SIGCONT)
            try await sleeper.exitCode()
            try await Self.expectGood(service, "deaf clients")
            _ = (files, deaf)
        }
    }
}
