internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("Answers in one piece", .timeLimit(.minutes(2)))
struct CompletionTests {
    private let chat = #"{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}"#

    @Test("A chat is answered as OpenAI does, with the query's headers")
    func chatAnswer() async throws {
        try await RunningGateway.with(StandInService(script: .hello)) { gateway in
            let response = try await gateway.request("POST", "/v1/chat/completions", body: chat)
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "application/json")
            #expect(response.headers["x-aladdin-query-id"] == "q-1")
            #expect(response.headers["x-aladdin-worker"] == "w1")
            #expect(response.headers["x-aladdin-predicted-ttft-ms"] == "12.5")
            #expect(
                response.body == #"{"id":"chatcmpl-q-1","object":"chat.completion","created":1700000000,"#
                    + #""model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, world","#
                    + #""refusal":null},"logprobs":null,"finish_reason":"stop"}],"#
                    + #""usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}"#
            )
        }
    }

    @Test("A text is answered as OpenAI does; the only model lends its name")
    func textAnswer() async throws {
        let script: [QueryEvent] =
            .opening + [
                .tokens(firstIndex: 0, count: 1, ids: [], text: "a \"b\"\n"),
                .finished(reason: .length, inputTokens: 1, outputTokens: 1),
            ]
        try await RunningGateway.with(StandInService(script: script)) { gateway in
            let response = try await gateway.request("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
            #expect(
                response.body == #"{"id":"cmpl-q-1","object":"text_completion","created":1700000000,"model":"tiny","#
                    + #""choices":[{"index":0,"text":"a \"b\"\n","logprobs":null,"finish_reason":"length"}],"#
                    + #""usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#
            )
        }
    }

    @Test("A connection serves one request after the other")
    func keepAlive() async throws {
        try await RunningGateway.with(StandInService(script: .hello)) { gateway in
            try await gateway.connect { connection in
                for _ in 0..<3 {
                    let response = try await connection.request("POST", "/v1/chat/completions", body: chat)
                    #expect(response.status == 200)
                    #expect(try await connection.request("GET", "/health").status == 200)
                }
            }
        }
    }

    @Test("What a lost worker wrote is taken out of the answer")
    func reset() async throws {
        let script: [QueryEvent] =
            .opening + [
                .tokens(firstIndex: 0, count: 2, ids: [], text: "One "),
                .tokens(firstIndex: 2, count: 1, ids: [], text: "wrong"),
                .reset(firstIndex: 2),
                .started(worker: "w2", attempt: 2, predictedTimeToFirstToken: nil),
                .tokens(firstIndex: 2, count: 1, ids: [], text: "right"),
                .finished(reason: .stop, inputTokens: 1, outputTokens: 3),
            ]
        try await RunningGateway.with(StandInService(script: script)) { gateway in
            let response = try await gateway.request("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
            #expect(response.body.contains(#""text":"One right""#))
            #expect(response.headers["x-aladdin-worker"] == "w2")
        }
    }

    @Test("The query carries what the request asked for")
    func query() async throws {
        let service = StandInService(script: .hello)
        try await RunningGateway.with(service) { gateway in
            let body = #"""
                {"model":"m","prompt":[1,2,3],"max_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":40,"seed":-1,
                "stop":["a","b"],"user":"u","brand_new_field":{"x":[1e999]}}
                """#
            let headers = ["x-slo-ttft-ms": "1500", "X-Aladdin-Tenant": "acme"]
            let response = try await gateway.request("POST", "/v1/completions", headers: headers, body: body)
            try #require(response.status == 200, "\(response.body)")
            let request = try await service.nextQuery().request
            let expected = QueryRequest(
                model: "m",
                input: .tokens([1, 2, 3]),
                maxTokens: 7,
                sampling: Sampling(temperature: 0.5, topP: 0.9, topK: 40, seed: .max, stop: ["a", "b"]),
                metadata: [("x-slo-ttft-ms", "1500"), ("x-aladdin-tenant", "acme")]
            )
            #expect(request == expected)
        }
    }

    @Test("A refusal has its status, OpenAI's shape and a time to try again")
    func refusal() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                for stream in ["true", "false"] {
                    let body = #"{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"stream":\#(stream)}"#
                    try await connection.sendRequest("POST", "/v1/chat/completions", body: body)
                    let status = Status(.resourceExhausted, .queueFull, "Full.", retryAfter: .milliseconds(1200))
                    try await service.nextQuery().fail(status)
                    let response = try await connection.response()
                    #expect(response.status == 429)
                    #expect(response.headers["retry-after"] == "2")
                    #expect(
                        response.body
                            == #"{"error":{"message":"Full.","type":"rate_limit_error","param":null,"code":"queue_full"}}"#
                    )
                }
            }
        }
    }

    @Test("Events that break off are a failure of the server")
    func brokenOff() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/chat/completions", body: chat)
                let query = try await service.nextQuery()
                query.send(.opening)
                query.breakOff()
                #expect(try await connection.response().status == 500)
            }
        }
    }
}
