internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("Clients that leave", .timeLimit(.minutes(2)))
struct ClientGoneTests {
    /// Where a query is when its client leaves.
    enum Moment: CaseIterable {
        case queued
        case accepted
        case started
        case writing

        var events: [QueryEvent] {
            switch self {
            case .queued: []
            case .accepted: [.accepted(id: "q-1")]
            case .started: .opening
            case .writing: .opening + [.tokens(firstIndex: 0, count: 1, ids: [], text: "a")]
            }
        }
    }

    private static func body(streaming: Bool) -> String {
        #"{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"stream":\#(streaming)}"#
    }

    @Test("A client that closes its connection cancels its query", arguments: Moment.allCases, [false, true])
    func closes(moment: Moment, streaming: Bool) async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            let query = try await gateway.connect { connection in
                let body = Self.body(streaming: streaming)
                try await connection.sendRequest("POST", "/v1/chat/completions", body: body)
                let query = try await service.nextQuery()
                query.send(moment.events)
                if streaming, moment == .writing { _ = try await connection.head() }
                if streaming, moment == .writing { _ = try await connection.chunk() }
                return query
            }
            #expect(await query.wasCancelled())
            // The gateway is as good as before.
            #expect(try await gateway.request("GET", "/health").status == 200)
        }
    }

    @Test("A client that shuts down its sending side counts as gone", arguments: [false, true])
    func halfCloses(streaming: Bool) async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                let body = Self.body(streaming: streaming)
                try await connection.sendRequest("POST", "/v1/chat/completions", body: body)
                let query = try await service.nextQuery()
                connection.finishSending()
                #expect(await query.wasCancelled())
                #expect(try await connection.response().status == 499)
            }
            let mode = streaming ? "stream" : "plain"
            let metrics = try await gateway.request("GET", "/metrics").body
            #expect(metrics.contains("aladdin_gateway_cancelled_by_client_total{mode=\"\(mode)\"} 1\n"))
            #expect(metrics.contains(#"requests_total{route="/v1/chat/completions",code="499"} 1"#))
        }
    }

    @Test("A client that closes on its second request cancels that one")
    func closesLater() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            let query = try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
                let first = try await service.nextQuery()
                first.send(.hello)
                #expect(try await connection.response().status == 200)
                #expect(await first.wasCancelled() == false)
                try await connection.sendRequest("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
                return try await service.nextQuery()
            }
            #expect(await query.wasCancelled())
        }
    }

    @Test("A client that reads neither an answer nor the next one's stream is given up, too")
    func stallsInTheSecond() async throws {
        let service = StandInService()
        let configuration = GatewayConfiguration.test { $0.stalledReaderTimeout = .milliseconds(100) }
        try await RunningGateway.with(service, configuration) { gateway in
            try await gateway.connect { connection in
                for _ in 0..<2 {
                    let body = #"{"prompt":"x","stream":true}"#
                    try await connection.sendRequest("POST", "/v1/completions", body: body)
                }
                let first = try await service.nextQuery()
                let piece = String(repeating: "x", count: 32 << 20)
                // At once: it must not be given up before its end is there.
                first.send(
                    .opening + [
                        .tokens(firstIndex: 0, count: 1, ids: [], text: piece),
                        .finished(reason: .stop, inputTokens: 1, outputTokens: 1),
                    ]
                )
                let second = try await service.nextQuery()
                second.send(.opening + [.tokens(firstIndex: 0, count: 1, ids: [], text: "a")])
                #expect(await second.wasCancelled())
            }
        }
    }

    @Test("A client that stops reading its stream is given up")
    func stalls() async throws {
        let service = StandInService()
        let configuration = GatewayConfiguration.test { $0.stalledReaderTimeout = .milliseconds(100) }
        try await RunningGateway.with(service, configuration) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/completions", body: #"{"prompt":"x","stream":true}"#)
                let query = try await service.nextQuery()
                query.send(.opening)
                // More than the kernel's buffers on both sides take.
                let piece = String(repeating: "x", count: 1 << 20)
                for index in 0..<32 { query.send(.tokens(firstIndex: index, count: 1, ids: [], text: piece)) }
                #expect(await query.wasCancelled())
            }
        }
    }
}
