internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    @Suite struct Cancellation {
        /// A service so slow that none of its answers ends by itself.
        private static func slowService(_ files: TemporaryDirectory) async throws -> Service {
            try await Service.up(
                "--engine",
                "emulated",
                "--profile",
                try files.profile(stepMilliseconds: 20),
                workers: 1
            )
        }

        /// Waits until a query runs, then until it is gone from the broker and from the engine's KV cache.
        private static func expectCancellation(
            of what: String,
            in service: Service,
            _ leave: @Sendable () async throws -> Void
        ) async throws {
            try await service.endpoints.status("a running query") { $0.model?.running == 1 }
            try await leave()
            let status = try await service.endpoints.status("the query of \(what) gone") {
                $0.model?.running == 0 && $0.workers[0].freeKVTokens == $0.workers[0].profile.kvCache.capacityTokens
            }
            #expect(status.model?.cancelled == 1)
            #expect(status.model?.completed == 0)
            #expect(status.model?.failed == 0)
            #expect(status.workers[0].running == 0)
            let json = try await Run.aladdin(["status", "--json"] + service.endpoints.flags).json()
            let model = try #require((json["models"] as? [[String: Any]])?.first)
            #expect(model["running"] as? Int == 0)
            #expect(model["cancelled"] as? Int == 1)
        }

        @Test(arguments: [true, false])
        func `Closing the HTTP connection cancels the query down to the engine`(isStreaming: Bool) async throws {
            let files = try TemporaryDirectory()
            let service = try await Self.slowService(files)
            let body = HTTP.chat("Hello", #""stream": \#(isStreaming), "max_tokens": 100000"#)
            let stream = HTTP.open("\(service.url)/v1/chat/completions", body)
            try await Self.expectCancellation(of: "an HTTP client", in: service) {
                if isStreaming { try await stream.line("content", in: \.output) }
                stream.kill(SIGKILL)
            }
        }

        @Test func `A ZeroMQ client's cancel reaches the engine`() async throws {
            let files = try TemporaryDirectory()
            let service = try await Self.slowService(files)
            try await service.endpoints.withClient { client in
                let query = Task { try await Answer.of(client, .chat("Hello", maxTokens: 100_000)) }
                try await Self.expectCancellation(of: "a ZeroMQ client", in: service) { query.cancel() }
            }
        }

        @Test(arguments: [SIGKILL, SIGINT])
        func `The query of a ZeroMQ client that was killed is cancelled`(signal: Int32) async throws {
            let files = try TemporaryDirectory()
            let service = try await Self.slowService(files)
            let client = ServiceProcess(["query", "--max-tokens", "100000", "Hello"] + service.endpoints.flags)
            try await Self.expectCancellation(of: "a killed client", in: service) { client.kill(signal) }
        }
    }
}
