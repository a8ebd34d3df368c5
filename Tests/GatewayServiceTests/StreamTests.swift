internal import AladdinClient
internal import ServingModel
internal import Telemetry
internal import Testing

@testable internal import GatewayService

@Suite("Answers as server-sent events", .timeLimit(.minutes(2)))
struct StreamTests {
    private let chat = #"{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"stream":true}"#
    private let prefix =
        #"data: {"id":"chatcmpl-q-1","object":"chat.completion.chunk","created":1700000000,"model":"tiny","choices":["#

    @Test("A chat streams its role, its text, its end and DONE")
    func chatStream() async throws {
        try await RunningGateway.with(StandInService(script: .hello)) { gateway in
            let response = try await gateway.request("POST", "/v1/chat/completions", body: chat)
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "text/event-stream; charset=utf-8")
            #expect(response.headers["cache-control"] == "no-cache")
            #expect(response.headers["x-aladdin-query-id"] == "q-1")
            #expect(response.headers["x-aladdin-worker"] == "w1")
            #expect(response.headers["x-aladdin-predicted-ttft-ms"] == "12.5")
            let tail = #""logprobs":null,"finish_reason":null}]}"# + "\n\n"
            #expect(
                response.body == prefix + #"{"index":0,"delta":{"role":"assistant","content":"Hello"},"# + tail
                    + prefix + #"{"index":0,"delta":{"content":", world"},"# + tail
                    + prefix + #"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}"#
                    + "\n\ndata: [DONE]\n\n"
            )
        }
    }

    @Test("A text streams with usage in a last chunk without choices")
    func textStreamWithUsage() async throws {
        try await RunningGateway.with(StandInService(script: .hello)) { gateway in
            let body = #"{"model":"tiny","prompt":"x","stream":true,"stream_options":{"include_usage":true}}"#
            let response = try await gateway.request("POST", "/v1/completions", body: body)
            let prefix =
                #"data: {"id":"cmpl-q-1","object":"text_completion","created":1700000000,"model":"tiny","choices":["#
            let tail = #""logprobs":null,"finish_reason":null}],"usage":null}"# + "\n\n"
            #expect(
                response.body == prefix + #"{"index":0,"text":"Hello","# + tail
                    + prefix + #"{"index":0,"text":", world","# + tail
                    + prefix + #"{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}],"usage":null}"# + "\n\n"
                    + prefix + #"],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}"#
                    + "\n\ndata: [DONE]\n\n"
            )
        }
    }

    @Test("Each piece is sent when it is there, not later")
    func immediate() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/chat/completions", body: chat)
                let query = try await service.nextQuery()
                query.send(.opening)
                for (index, word) in ["a", "b", "c"].enumerated() {
                    query.send(.tokens(firstIndex: index, count: 1, ids: [], text: word))
                    // The head waits for the first token: until then a refusal can have its own status.
                    if index == 0 { #expect(try await connection.head().status == 200) }
                    #expect(try #require(await connection.chunk()).contains(#""content":"\#(word)""#))
                }
                query.send(.finished(reason: .stop, inputTokens: 1, outputTokens: 3))
                #expect(try #require(await connection.chunk()).hasSuffix("data: [DONE]\n\n"))
                #expect(try await connection.chunk() == nil)
                #expect(try await connection.request("GET", "/health").status == 200)
            }
        }
    }

    @Test("An answer without text still says who speaks and why it ended")
    func empty() async throws {
        let script: [QueryEvent] = .opening + [.finished(reason: .stop, inputTokens: 1, outputTokens: 0)]
        try await RunningGateway.with(StandInService(script: script)) { gateway in
            let response = try await gateway.request("POST", "/v1/chat/completions", body: chat)
            let events = response.body.split(separator: "\n\n")
            #expect(events.count == 3)
            #expect(events[0].contains(#""delta":{"role":"assistant","content":""}"#))
            #expect(events[1].contains(#""finish_reason":"stop""#))
            #expect(events[2] == "data: [DONE]")
        }
    }

    @Test("A failure on the way is told in an event, without DONE")
    func failure() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/chat/completions", body: chat)
                let query = try await service.nextQuery()
                query.send(.opening + [.tokens(firstIndex: 0, count: 1, ids: [], text: "a")])
                query.fail(Status(.unavailable, .attemptsExhausted, "Three workers were lost."))
                let response = try await connection.response()
                #expect(response.status == 200)
                let last =
                    #"data: {"error":{"message":"Three workers were lost.","type":"overloaded_error","#
                    + #""param":null,"code":"attempts_exhausted"}}"# + "\n\n"
                #expect(response.body.hasSuffix(last))
                #expect(!response.body.contains("[DONE]"))
                let metrics = gateway.metrics.exposition()
                #expect(metrics.contains(#"stream_errors_total{reason="attempts_exhausted"} 1"#))
            }
        }
    }

    @Test("What has been sent can't be taken back: a reset ends the stream, and leaves the query to who asks again")
    func reset() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/chat/completions", body: chat)
                let query = try await service.nextQuery()
                query.send(.opening + [.reset(firstIndex: 0), .tokens(firstIndex: 0, count: 1, ids: [], text: "a")])
                query.send(.reset(firstIndex: 1), .reset(firstIndex: 0))
                let response = try await connection.response()
                #expect(response.body.contains(#""content":"a""#))
                #expect(response.body.contains(#""type":"conflict_error","param":null,"code":"worker_lost""#))
                #expect(service.left == ["q-1"])
            }
        }
    }

    @Test("What comes after a part was taken back is not told, however long the service takes to let go")
    func newsAfterReset() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/chat/completions", body: chat)
                let query = try await service.nextQuery()
                service.whenLeft {
                    query.send(.tokens(firstIndex: 0, count: 1, ids: [], text: "anew"))
                    query.send(.finished(reason: .stop, inputTokens: 1, outputTokens: 1))
                    // The connection's loop has its turn in between: it answers another request.
                    _ = try? await gateway.request("GET", "/health")
                }
                query.send(.opening + [.tokens(firstIndex: 0, count: 1, ids: [], text: "a"), .reset(firstIndex: 0)])
                let response = try await connection.response()
                #expect(response.body.contains(#""content":"a""#) && !response.body.contains("anew"))
                #expect(response.body.contains(#""code":"worker_lost""#) && !response.body.contains("[DONE]"))
            }
        }
    }

    @Test("A reader slower than the worker gets every piece, in order")
    func slowReader() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/chat/completions", body: chat)
                let query = try await service.nextQuery()
                let piece = String(repeating: "x", count: 10_000)
                query.send(.opening)
                for index in 0..<200 {
                    query.send(.tokens(firstIndex: index, count: 1, ids: [], text: "<\(index)>\(piece)"))
                }
                query.send(.finished(reason: .length, inputTokens: 1, outputTokens: 200))
                let events = try await connection.response().body.split(separator: "\n\n")
                #expect(events.count == 202)
                for (index, event) in events.prefix(200).enumerated() { #expect(event.contains("<\(index)>\(piece)")) }
            }
        }
    }
}
