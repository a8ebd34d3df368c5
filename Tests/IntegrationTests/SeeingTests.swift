internal import Foundation
internal import Testing

extension IntegrationTests {
    /// The cluster as people and their tools see it.
    @Suite struct Seeing {
        /// Only there once a client has gone, a stream or a query has failed, or one was refused; or if the gateway is
        /// a process of its own.
        private static let rare = [
            "aladdin_gateway_cancelled_by_client_total", "aladdin_gateway_stream_errors_total",
            "aladdin_gateway_trace_spans_total",
            "aladdin_model_failures_total", "aladdin_model_refusals_total",
        ]

        private func documentedMetrics() throws -> [String] {
            let document = Executable.repository.appending(path: "docs/metrics.md")
            let text = try String(contentsOf: document, encoding: .utf8)
            return text.matches(of: #/\n\| `(aladdin_[a-z_]+)` \| (gauge|counter|histogram) /#).map { String($0.1) }
        }

        @Test func `Every metric of the document is there once something was served`() async throws {
            let files = try TemporaryDirectory()
            let flags = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 1)]
            let data = ["--data", files.path("journal"), "--journal", "sqlite"]
            let tracing = ["--trace-file", files.path("spans.jsonl"), "--trace-sample-ratio", "1"]
            let service = try await Service.up(flags + data + tracing)
            let answer = try await HTTP.post(service.url + "/v1/chat/completions", HTTP.chat("Hi", #""max_tokens": 8"#))
            #expect(answer.status == 200)
            let expected = Set(try documentedMetrics()).subtracting(Self.rare)
            #expect(expected.count > 50)
            // What the scheduler tells of itself comes with its reports, once a second.
            _ = try await eventually("all of \(expected.sorted())") {
                let page = try await HTTP.get(service.url + "/metrics").body
                return expected.filter { !page.contains("\n# TYPE \($0) ") }
            } until: {
                $0.isEmpty
            }
        }

        @Test func `The gateway tells what aladdin status tells, and top draws it`() async throws {
            let service = try await Service.up()
            let status = try await Run.aladdin(
                "status",
                "--json",
                "--admin-endpoint",
                service.endpoints.admin
            ).json()
            let cluster = try await HTTP.get(service.url + "/v1/cluster").json()
            #expect(Set(status.keys) == Set(cluster.keys))
            #expect(cluster["broker"] as? String == status["broker"] as? String)
            #expect((cluster["objective"] as? [String: Double]) == ["ttft_ms": 2000, "atgt_ms": 100])
            // Its output is no terminal here.
            let top = try await Run.aladdin("top", "--admin-endpoint", service.endpoints.admin)
            #expect(top.code == 0, "\(top.errors)")
            #expect(top.output.contains("WORKER (2)") && top.output.contains("aladdin-tiny"), "\(top.output)")
            #expect(!top.output.contains("\u{1B}"))
        }

        @Test func `A gateway whose broker is gone says so, on the page's data and in its metrics`() async throws {
            let cluster = try await Cluster.start()
            let gateway = try await cluster.gateway()
            #expect(try await HTTP.get(gateway.url + "/v1/cluster").status == 200)
            cluster.broker.kill(SIGKILL)
            _ = try await cluster.broker.exitCode()
            _ = try await eventually("the broker to be missed") {
                try await HTTP.get(gateway.url + "/v1/cluster").status
            } until: {
                $0 == 503
            }
            let metrics = try await HTTP.get(gateway.url + "/metrics").body
            #expect(metrics.contains("\naladdin_broker_up 0"))
            #expect(!metrics.contains("aladdin_model_workers"))
            #expect(try await HTTP.get(gateway.url + "/").status == 200)
        }
    }
}
