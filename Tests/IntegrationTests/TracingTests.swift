internal import Foundation
internal import Messages
internal import StandInServer
internal import Testing

extension IntegrationTests {
    /// Spans of queries, from the client's context to a collector or a file.
    @Suite struct Tracing {
        /// A collector in another language, on a real socket: prints what is posted, a line each.
        private static let collector = #"""
            import http.server, sys

            class Collector(http.server.BaseHTTPRequestHandler):
                def do_POST(self):
                    assert self.path == "/v1/traces" and self.headers["content-type"] == "application/json", self.path
                    print(self.rfile.read(int(self.headers["content-length"])).decode(), flush=True)
                    self.send_response(200)
                    self.send_header("content-length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")

                def log_message(self, *arguments):
                    pass

            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
            print("port", server.server_address[1], flush=True)
            server.serve_forever()
            """#

        private struct Span {
            var name: String
            var trace: String
            var id: String
            var parent: String?
            var start: Int
            var end: Int
            var attributes: [String: String]
        }

        private func spans(_ lines: [String]) throws -> [Span] {
            var spans: [Span] = []
            for line in lines where line.hasPrefix("{") {
                let document = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                for resource in document?["resourceSpans"] as? [[String: Any]] ?? [] {
                    for scope in resource["scopeSpans"] as? [[String: Any]] ?? [] {
                        spans += try (scope["spans"] as? [[String: Any]] ?? []).map(span)
                    }
                }
            }
            return spans
        }

        private func span(_ object: [String: Any]) throws -> Span {
            var attributes: [String: String] = [:]
            for attribute in object["attributes"] as? [[String: Any]] ?? [] {
                let value = attribute["value"] as? [String: Any]
                attributes[attribute["key"] as? String ?? ""] = value?.values.first.map { "\($0)" }
            }
            return Span(
                name: try #require(object["name"] as? String),
                trace: try #require(object["traceId"] as? String),
                id: try #require(object["spanId"] as? String),
                parent: object["parentSpanId"] as? String,
                start: try #require((object["startTimeUnixNano"] as? String).flatMap { Int($0) }),
                end: try #require((object["endTimeUnixNano"] as? String).flatMap { Int($0) }),
                attributes: attributes
            )
        }

        private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        private let caller = "00f067aa0ba902b7"

        @Test func `A client's trace goes on through gateway, broker and every stage to a collector`() async throws {
            let collector = ServiceProcess(executable: "/usr/bin/env", ["python3", "-c", Self.collector])
            let port = try #require(try await collector.line("port ", in: \.output).split(separator: " ").last)
            let service = try await Service.up("--otlp-endpoint", "http://127.0.0.1:\(port)", workers: 1)
            let chat = "\(service.url)/v1/chat/completions"
            let answer = try await HTTP.post(
                chat,
                HTTP.chat("Tell me a story.", #""max_tokens": 6"#),
                headers: ["traceparent: 00-\(trace)-\(caller)-01", "tracestate: congo=t61rcWkgMzE"]
            )
            #expect(answer.status == 200)
            let response = try #require(answer.headers["traceresponse"])
            #expect(response.hasPrefix("00-\(trace)-") && response.hasSuffix("-01"))
            #expect(!answer.body.contains(trace))
            let query = try #require(answer.headers["x-aladdin-query-id"])
            let unsampled = try await HTTP.post(
                chat,
                HTTP.chat("Tell me another.", #""max_tokens": 2"#),
                headers: ["traceparent: 00-11111111111111111111111111111111-\(caller)-00"]
            )
            #expect(unsampled.headers["traceresponse"]?.hasPrefix("00-11111111111111111111111111111111-") == true)
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")

            // What is posted may be printed a little later.
            _ = try await eventually("all spans") {
                try spans(collector.output.lines).count
            } until: {
                $0 >= 7
            }
            collector.kill(SIGTERM)
            await collector.readToEnd()
            let all = try spans(collector.output.lines)
            #expect(Set(all.map(\.trace)) == [trace], "only the sampled one is exported")
            let gateway = try #require(all.first { $0.name == "POST /v1/chat/completions" })
            #expect(gateway.parent == caller && response.contains(gateway.id))
            #expect(gateway.attributes["http.response.status_code"] == "200")
            let whole = try #require(all.first { $0.name == "chat aladdin-tiny" })
            #expect(whole.parent == gateway.id)
            #expect(whole.attributes["gen_ai.response.id"] == query)
            #expect(whole.attributes["gen_ai.usage.output_tokens"] == "6")
            let stages = all.filter { $0.parent == whole.id }.sorted { $0.start < $1.start }
            #expect(Set(stages.map(\.name)) == ["accepted", "queued", "dispatched", "prefill", "decode"])
            #expect(all.count == 7)
            #expect(stages.allSatisfy { whole.start <= $0.start && $0.start <= $0.end && $0.end <= whole.end })
            let prompt = all.flatMap { $0.attributes.values }.contains { $0.contains("story") }
            #expect(!prompt, "no content leaves with a trace")
        }

        @Test func `Over ZeroMQ, too, and into a file; a broken context is none, and the query's trace its identifier`()
            async throws
        {
            let files = try TemporaryDirectory()
            let path = files.path("spans.jsonl")
            let service = try await Service.up("--trace-file", path, "--data", files.path("journal"), workers: 1)
            let (given, broken) = try await service.endpoints.withClient { [trace, caller] client in
                func ask(_ parent: String) async throws -> Answer {
                    try await Answer.of(client, .chat("Hi", maxTokens: 3, metadata: [("traceparent", parent)]))
                }
                return (
                    try await ask("00-\(trace)-\(caller)-01"), try await ask("00-\(trace.uppercased())-\(caller)-01")
                )
            }
            let metrics = try await HTTP.get("\(service.url)/metrics").body
            #expect(metrics.contains("# TYPE aladdin_trace_spans_total counter"))
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
            let all = try spans(String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init))
            let roots = all.filter { $0.name == "chat aladdin-tiny" }
            #expect(roots.count == 2)
            let first = try #require(roots.first { $0.attributes["gen_ai.response.id"] == given.id })
            #expect(first.trace == trace && first.parent == caller)
            let second = try #require(roots.first { $0.attributes["gen_ai.response.id"] == broken.id })
            #expect(second.trace == broken.id.replacingOccurrences(of: "-", with: "") && second.parent == nil)
            let accepted = try #require(all.first { $0.name == "accepted" && $0.parent == first.id })
            #expect(accepted.end > accepted.start, "the journal took a time")
        }

        @Test
        func
            `An upstream server hears whose part its work is: the query's span, or its client's where nothing is traced`()
            async throws
        {
            let server = try await StandInServer.start()
            let files = try TemporaryDirectory()
            let path = files.path("spans.jsonl")
            let upstream = ["--engine", "upstream", "--upstream", server.url]
            let headers = ["traceparent: 00-\(trace)-\(caller)-01", "tracestate: congo=t61rcWkgMzE"]
            for tracing in [["--trace-file", path], []] {
                let service = try await Service.up(upstream + tracing, workers: 1)
                let url = "\(service.url)/v1/completions"
                let answer = try await HTTP.post(url, #"{"prompt": "Hi", "max_tokens": 2}"#, headers: headers)
                #expect(answer.status == 200, "\(answer.body)")
                service.process.kill(SIGINT)
                #expect(try await service.process.exitCode() == 0)
            }
            let told = server.completions
            #expect(told.map(\.tracestate) == ["congo=t61rcWkgMzE", "congo=t61rcWkgMzE"])
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
            let whole = try #require(try spans(lines).first { $0.name == "text_completion stand-in" })
            #expect(told.map(\.traceparent) == ["00-\(trace)-\(whole.id)-01", "00-\(trace)-\(caller)-01"])
            await server.stop()
        }

        @Test func `Nothing is traced of what nobody samples, and wrong settings are told`() async throws {
            let files = try TemporaryDirectory()
            let path = files.path("spans.jsonl")
            let service = try await Service.up("--trace-file", path, "--trace-sample-ratio", "0", workers: 1)
            let answer = try await HTTP.post("\(service.url)/v1/completions", #"{"prompt": "Hi", "max_tokens": 2}"#)
            #expect(answer.status == 200 && answer.headers["traceresponse"]?.hasSuffix("-02") == true)
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0)
            #expect(try String(contentsOfFile: path, encoding: .utf8).isEmpty)

            let flags = Endpoints().flags
            let both = try await Run.aladdin(["broker", "--trace-file", path, "--otlp-endpoint", "http://a:1"] + flags)
            #expect(both.code == 2 && both.errors.contains("it must be one of the two"), "\(both.errors)")
            let nowhere = try await Run.aladdin(["broker", "--trace-file", "/nowhere/spans"] + flags)
            #expect(
                nowhere.code == 2 && nowhere.errors.contains("--trace-file is '/nowhere/spans'"),
                "\(nowhere.errors)"
            )
            let ratio = try await Run.aladdin(["broker", "--trace-sample-ratio", "2"] + flags)
            #expect(
                ratio.code == 2 && ratio.errors.contains("--trace-sample-ratio is '2'; it must be"),
                "\(ratio.errors)"
            )
        }
    }
}
