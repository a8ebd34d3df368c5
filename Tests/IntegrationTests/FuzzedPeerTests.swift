internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// Peers whose frames are sound but for some bytes, on each endpoint of a running service.
    @Suite struct FuzzedPeers {
        /// A fiftieth of what is asked for of decoders, since these cross sockets.
        private static let rounds =
            (ProcessInfo.processInfo.environment["ALADDIN_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 130_000) / 50

        private static func bodies(of endpoint: String, _ profile: LatencyProfile) -> [(Messages.Method, [UInt8])] {
            let registration = WorkerRegistration(
                name: "fuzz",
                engine: "raw",
                contextLength: 1000,
                resumesPrefix: true,
                batching: .chunked,
                profile: profile
            )
            let tokens = TokensEvent(firstIndex: 0, count: 1, ids: [7], text: "x")
            let step = StepReport(
                workload: nil,
                duration: .milliseconds(1),
                progress: [LeaseProgress(lease: Lease(rawValue: 1), tokens: tokens)],
                waiting: 0,
                freeKVTokens: 1000
            )
            switch endpoint {
            case "frontend":
                let text = GenerateRequest(input: .text("Hello"), maxTokens: 8).encode()
                let chat = GenerateRequest(
                    model: "m",
                    input: .chat([ChatMessage(role: "user", content: "Hi")]),
                    maxTokens: 3,
                    metadata: [MetadataEntry("x-slo-ttft-ms", "500"), MetadataEntry("idempotency-key", "k")]
                ).encode()
                let id = "01890000-0000-7000-8000-000000000000"
                return [
                    (.generate, text), (.generate, chat), (.attach, AttachRequest(queryID: id, firstIndex: 0).encode()),
                    (.acknowledge, AcknowledgeRequest(queryID: id).encode()), (.listModels, []),
                ]
            case "worker":
                return [
                    (.work, WorkerReport.registration(registration).encode()),
                    (.work, WorkerReport.pull(granted: 4).encode()), (.work, WorkerReport.step(step).encode()),
                ]
            case "scheduler":
                return [(.schedule, [0x0A, 0x04, 0x66, 0x75, 0x7A, 0x7A]), (.schedule, [0x12, 0x02, 0x08, 0x01])]
            default:
                return [(.getStatus, []), (.explain, [0x0A, 0x01, 0x78])]
            }
        }

        private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
            guard !bytes.isEmpty else {
                bytes = [UInt8.random(in: .min ... .max, using: &random)]
                return
            }
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 2: bytes.removeSubrange(index...)
            case 3: bytes.insert(contentsOf: bytes[index...].prefix(16), at: index)
            default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: index)
            }
        }

        private static func residentBytes(of process: pid_t) throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
            let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return try #require(pages) * 4096
        }

        /// One peer: a fresh session every few frames, since many of these end theirs.
        private static func babble(at address: String, _ bodies: [(Messages.Method, [UInt8])], seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            let peer = RawPeer(address)
            var stream: UInt64 = 0
            for round in 0..<rounds / 4 {
                if round % 20 == 0 {
                    try peer.greetAnew()
                    stream = 0
                }
                var (method, body) = bodies[Int.random(in: 0..<bodies.count, using: &random)]
                if Int.random(in: 0..<4, using: &random) > 0 { mutate(&body, &random) }
                let kind = [FrameKind.call, .call, .call, .item, .item, .cancel][Int.random(in: 0..<6, using: &random)]
                stream += UInt64.random(in: 0...1, using: &random)
                peer.send(kind, method, stream: max(stream, 1), body: kind == .cancel ? [] : body)
            }
            try peer.greetAnew()
        }

        @Test func `Mutated frames on each endpoint neither end the service nor swell it by more than 64 MiB`()
            async throws
        {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 0.1)
            let service = try await Service.up("--engine", "emulated", "--profile", profile)
            var spare = try #require(try await service.endpoints.status().workers.first).profile
            spare.model = "fuzzed"
            let endpoints = [
                ("frontend", service.endpoints.frontend), ("worker", service.endpoints.worker),
                ("scheduler", service.endpoints.scheduler), ("admin", service.endpoints.admin),
            ]
            let before = try Self.residentBytes(of: service.process.id)
            for (index, (name, address)) in endpoints.enumerated() {
                let bodies = Self.bodies(of: name, spare)
                try await blocking { try Self.babble(at: address, bodies, seed: UInt64(index)) }
                #expect(service.process.isRunning, "after \(name): \(service.process.transcript.suffix(2000))")
            }
            let after = try Self.residentBytes(of: service.process.id)
            print("fuzzed a running service: \(Self.rounds) frames, \((after - before) >> 10) KiB more resident")
            #expect(after - before < 64 << 20)
            let answers = try await Failover.answers(service.endpoints, [.chat("Hi", maxTokens: 8)])
            #expect(answers[0].failure == nil && answers[0].count == 8)
            _ = files
        }
    }
}
