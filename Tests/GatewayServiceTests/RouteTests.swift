internal import AladdinClient
internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("Routes", .timeLimit(.minutes(2)))
struct RouteTests {
    @Test("Models are listed as OpenAI does, and found by name")
    func models() async throws {
        let service = StandInService(models: [
            ServedModel(name: "org/m 1", workers: 3, contextLength: 4096, engine: "mixed"), StandInService.model,
        ])
        try await RunningGateway.with(service) { gateway in
            let first =
                #"{"id":"org/m 1","object":"model","created":1700000000,"owned_by":"aladdin","#
                + #""context_length":4096,"workers":3,"engine":"mixed"}"#
            let second =
                #"{"id":"tiny","object":"model","created":1700000000,"owned_by":"aladdin","#
                + #""context_length":2048,"workers":2,"engine":"cpu"}"#
            let list = try await gateway.request("GET", "/v1/models")
            #expect(list.status == 200)
            #expect(list.body == #"{"object":"list","data":[\#(first),\#(second)]}"#)
            #expect(try await gateway.request("GET", "/v1/models/org/m%201").body == first)
            let missing = try await gateway.request("GET", "/v1/models/none")
            #expect(missing.status == 404)
            #expect(missing.body.contains(#""type":"invalid_request_error","param":"model","code":"model_not_found""#))
            service.set(models: .failure(Status(.unavailable, .none, "No broker.", retryAfter: .seconds(3))))
            let failed = try await gateway.request("GET", "/v1/models")
            #expect(failed.status == 503)
            #expect(failed.headers["retry-after"] == "3")
        }
    }

    @Test("Ready means connected and with a model; healthy means alive")
    func ready() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            let ready = try await gateway.request("GET", "/ready")
            #expect(ready.status == 200)
            #expect(ready.body == #"{"status":"ready","models":["tiny"]}"#)
            service.set(models: .success([]))
            let empty = try await gateway.request("GET", "/ready")
            #expect(empty.status == 503)
            #expect(empty.body == #"{"status":"unavailable","reason":"No worker serves a model yet.","models":[]}"#)
            service.set(models: .failure(Status(.unavailable, .none, "Gone.")))
            #expect(try await gateway.request("GET", "/ready").body.contains(#""reason":"Gone.""#))
            service.set(isConnected: false)
            let alone = try await gateway.request("GET", "/ready")
            #expect(alone.status == 503)
            #expect(alone.body.contains("no connection to the broker"))
            #expect(try await gateway.request("GET", "/health").body == #"{"status":"ok"}"#)
        }
    }

    @Test("What is nowhere is 404 and what is not done there is 405, in OpenAI's shape")
    func unknown() async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            let missing = try await gateway.request("GET", "/v2/nothing?x=1")
            #expect(missing.status == 404)
            #expect(
                missing.body == #"{"error":{"message":"There is nothing at /v2/nothing.","#
                    + #""type":"invalid_request_error","param":null,"code":"unknown_url"}}"#
            )
            let method = try await gateway.request("GET", "/v1/chat/completions")
            #expect(method.status == 405)
            #expect(method.headers["allow"] == "POST")
            #expect(method.body.contains(#""code":"method_not_allowed""#))
            let post = try await gateway.request("POST", "/health", body: "x")
            #expect(post.status == 405)
            #expect(post.headers["allow"] == "GET, HEAD")
        }
    }

    @Test("A HEAD request gets the head alone, and the connection goes on")
    func head() async throws {
        try await RunningGateway.with(StandInService()) { gateway in
            try await gateway.connect { connection in
                let head = try await connection.request("HEAD", "/health")
                #expect(head.status == 200)
                #expect(head.headers["content-length"] == "15")
                #expect(try await connection.request("GET", "/health/").status == 200)
            }
        }
    }

    @Test("A body beyond the limit is refused, announced or not, and the connection goes on")
    func tooLarge() async throws {
        let service = StandInService(script: .hello)
        let configuration = GatewayConfiguration.test { $0.maximumBodyBytes = 1000 }
        try await RunningGateway.with(service, configuration) { gateway in
            try await gateway.connect { connection in
                let body = #"{"prompt":"\#(String(repeating: "x", count: 2000))"}"#
                let announced = try await connection.request("POST", "/v1/completions", body: body)
                #expect(announced.status == 413)
                #expect(announced.body.contains(#""code":"message_too_large""#))
                let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
                let head = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                try await connection.send(head + chunk)
                #expect(try await connection.response().status == 413)
                let small = try await connection.request("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
                #expect(small.status == 200)
            }
        }
    }

    @Test("A request without a body, or with another content type, is read for what it is")
    func bodies() async throws {
        try await RunningGateway.with(StandInService(script: .hello)) { gateway in
            #expect(try await gateway.request("POST", "/v1/completions").status == 400)
            let headers = ["Content-Type": "text/plain"]
            let response = try await gateway.request(
                "POST",
                "/v1/completions",
                headers: headers,
                body: #"{"prompt":"x"}"#
            )
            #expect(response.status == 200)
        }
    }

    @Test("Metrics tell what went on, in Prometheus' format")
    func metrics() async throws {
        let service = StandInService()
        try await RunningGateway.with(service) { gateway in
            try await gateway.connect { connection in
                try await connection.sendRequest("POST", "/v1/completions", body: #"{"prompt":"x"}"#)
                let query = try await service.nextQuery()
                let during = try await gateway.request("GET", "/metrics")
                #expect(during.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
                #expect(during.body.contains("\naladdin_gateway_requests_in_flight 2\n"))
                query.send(.hello)
                _ = try await connection.response()
            }
            _ = try await gateway.request("GET", "/favicon.ico")
            let after = try await gateway.request("GET", "/metrics").body
            for line in [
                #"aladdin_gateway_requests_total{route="/v1/completions",code="200"} 1"#,
                #"aladdin_gateway_requests_total{route="unknown",code="404"} 1"#,
                "# TYPE aladdin_gateway_ttft_seconds histogram", "aladdin_gateway_ttft_seconds_count 1",
                "aladdin_gateway_atgt_seconds_count 1", "aladdin_gateway_output_tokens_total 3",
            ] {
                #expect(after.contains("\n\(line)\n") || after.hasPrefix("\(line)\n"), "\(line)")
            }
        }
    }

    @Test("The cluster's metrics come after the gateway's own")
    func clusterMetrics() async throws {
        let cluster = "# TYPE aladdin_predictions_total counter\naladdin_predictions_total 3\n"
        try await RunningGateway.with(StandInService(), cluster: ClusterInsight(metrics: { cluster }, status: { "{}" }))
        { gateway in
            let page = try await gateway.request("GET", "/metrics").body
            #expect(page.hasPrefix("# HELP aladdin_build_info") && page.hasSuffix("\n\(cluster)"))
        }
    }
}
