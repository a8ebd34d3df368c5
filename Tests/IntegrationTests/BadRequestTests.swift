internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// Requests that must be refused, over ZeroMQ and over HTTP, each with its code and reason.
    @Suite struct BadRequests {
        struct Case {
            var name: String
            var request: QueryRequest
            var status: (StatusCode, Reason)
            /// The same over HTTP, where it can be said there: body, headers, status, code.
            var http: (body: String, headers: [String], status: Int, code: String?)?
        }

        private static let long = String(repeating: "word ", count: 3000)

        private static let cases = [
            Case(
                name: "an unknown model",
                request: .chat("Hi", model: "nobody"),
                status: (.notFound, .unknownModel),
                http: (HTTP.chat("Hi", #""model": "nobody""#), [], 404, "model_not_found")
            ),
            Case(
                name: "an empty prompt",
                request: .chat(""),
                status: (.invalidArgument, .emptyPrompt),
                http: (HTTP.chat(""), [], 400, "empty_prompt")
            ),
            Case(
                name: "no messages",
                request: QueryRequest(input: .chat([]), maxTokens: 4),
                status: (.invalidArgument, .emptyPrompt),
                http: (#"{"messages": []}"#, [], 400, "empty_prompt")
            ),
            Case(
                name: "an unknown role",
                request: QueryRequest(input: .chat([ChatMessage(role: "wizard", content: "Hi")]), maxTokens: 4),
                status: (.invalidArgument, .malformed),
                http: (#"{"messages": [{"role": "wizard", "content": "Hi"}]}"#, [], 400, nil)
            ),
            Case(
                name: "a prompt longer than the context",
                request: .chat(long),
                status: (.invalidArgument, .promptTooLong),
                http: (HTTP.chat(long, #""max_tokens": 8"#), [], 400, "prompt_too_long")
            ),
            Case(
                name: "token identifiers beyond the vocabulary",
                request: QueryRequest(input: .tokens([1, 2_000_000_000]), maxTokens: 4),
                status: (.invalidArgument, .malformed),
                http: nil
            ),
            Case(
                name: "max_tokens 0",
                request: .chat("Hi", maxTokens: 0),
                status: (.outOfRange, .maxTokensOutOfRange),
                http: (HTTP.chat("Hi", #""max_tokens": 0"#), [], 400, "max_tokens_out_of_range")
            ),
            Case(
                name: "max_tokens beyond the context",
                request: .chat("Hi", maxTokens: 1025),
                status: (.outOfRange, .maxTokensOutOfRange),
                http: (HTTP.chat("Hi", #""max_tokens": 1025"#), [], 400, "max_tokens_out_of_range")
            ),
            Case(
                name: "max_tokens that leave no room for the prompt",
                request: .chat("Hi", maxTokens: 1023),
                status: (.invalidArgument, .maxTokensOutOfRange),
                http: (HTTP.chat("Hi", #""max_tokens": 1023"#), [], 400, "max_tokens_out_of_range")
            ),
            Case(
                name: "a negative temperature",
                request: QueryRequest(input: .text("Hi"), maxTokens: 4, sampling: Sampling(temperature: -1)),
                status: (.invalidArgument, .invalidSampling),
                http: (HTTP.chat("Hi", #""temperature": -1"#), [], 400, "invalid_sampling")
            ),
            objective("NaN", "nan"),
            objective("negative", "-5"),
            objective("zero", "0"),
            objective("empty", ""),
            objective("not a number", "soon"),
            Case(
                name: "an objective that no worker can meet",
                request: .chat("Hi", metadata: [("x-slo-ttft-ms", "0.000001")]),
                status: (.failedPrecondition, .objectiveUnreachable),
                http: (HTTP.chat("Hi"), ["x-slo-ttft-ms: 0.000001"], 400, "objective_unreachable")
            ),
            Case(
                name: "a priority that is no number",
                request: .chat("Hi", metadata: [("x-aladdin-priority", "high")]),
                status: (.invalidArgument, .invalidMetadata),
                http: (HTTP.chat("Hi"), ["x-aladdin-priority: high"], 400, "invalid_metadata")
            ),
            Case(
                name: "too much metadata",
                request: .chat("Hi", metadata: (0..<100).map { ("key-\($0)", "value") }),
                status: (.invalidArgument, .invalidMetadata),
                http: nil
            ),
        ]

        private static func objective(_ name: String, _ value: String) -> Case {
            Case(
                name: "an objective that is \(name)",
                request: .chat("Hi", metadata: [("x-slo-ttft-ms", value)]),
                status: (.invalidArgument, .invalidObjective),
                // curl leaves out a header without a value.
                http: value.isEmpty ? nil : (HTTP.chat("Hi"), ["x-slo-ttft-ms: \(value)"], 400, "invalid_objective")
            )
        }

        @Test func `Each bad request gets its own status over ZeroMQ, and a good one works right after it`()
            async throws
        {
            let service = try await Service.up()
            try await service.endpoints.withClient { client in
                for bad in Self.cases {
                    let answer = try await within(bad.name) { try await Answer.of(client, bad.request) }
                    #expect(answer.failure?.code == bad.status.0, "\(bad.name): \(String(describing: answer.failure))")
                    #expect(answer.failure?.reason == bad.status.1, "\(bad.name)")
                    #expect(answer.failure?.message.isEmpty == false, "\(bad.name)")
                    #expect(answer.count == 0)
                    let good = try await within("a good query") {
                        try await Answer.of(client, .chat("Hi", maxTokens: 4))
                    }
                    #expect(good.failure == nil && good.count == 4, "after \(bad.name)")
                }
            }
            let status = try await service.endpoints.status("nothing running") { $0.model?.running == 0 }
            #expect(status.model?.queued == 0)
            #expect(status.model?.completed == UInt64(Self.cases.count))
            #expect(status.model?.attainment == 1, "a client's mistakes are no missed objectives")
        }

        @Test func `Each bad request gets its own status over HTTP, and a good one works right after it`() async throws
        {
            let service = try await Service.up()
            let url = "\(service.url)/v1/chat/completions"
            for bad in Self.cases {
                guard let http = bad.http else { continue }
                try await Self.expect(url, http.body, http.headers, http.status, http.code, bad.name)
            }
        }

        @Test func `Bodies that are no requests are refused over HTTP with the place or field at fault`() async throws {
            let service = try await Service.up()
            let url = "\(service.url)/v1/chat/completions"
            let hello = #""messages": [{"role": "user", "content": "Hi"}]"#
            let bodies: [(String, String?, String)] = [
                ("{\"messages\": [", "malformed", "line 1"),
                ("[]", "malformed", "JSON object"),
                ("\u{7F}\u{1}", "malformed", "JSON"),
                ("{\(hello), \"max_tokens\": \"many\"}", nil, "'max_tokens'"),
                ("{\(hello), \"max_tokens\": 1.5}", nil, "'max_tokens'"),
                ("{\(hello), \"max_tokens\": 1e300}", nil, "'max_tokens'"),
                ("{\(hello), \"stream\": \"yes\"}", nil, "'stream'"),
                ("{\(hello), \"temperature\": NaN}", "malformed", "JSON"),
                ("{\"messages\": \"Hi\"}", nil, "'messages'"),
                ("{\"messages\": [{\"role\": 1, \"content\": \"Hi\"}]}", nil, "messages[0]"),
                ("{\"messages\": [{\"role\": \"user\"}]}", nil, "messages[0]"),
                ("{\"model\": 7, \(hello)}", nil, "'model'"),
                ("{}", nil, "'messages'"),
                (String(repeating: "[", count: 100_000), "malformed", ""),
            ]
            for (body, code, word) in bodies {
                let answer = try await Self.expect(url, body, [], 400, code, String(body.prefix(80)))
                let error = try answer.json()["error"] as? [String: Any]
                let message = try #require(error?["message"] as? String)
                #expect(word.isEmpty || message.contains(word), "\(body.prefix(80)): \(message)")
            }
            let unknown = try await HTTP.post(url, "{\(hello), \"max_tokens\": 4, \"wizardry\": {\"level\": 3}}")
            #expect(unknown.status == 200, "unknown fields are ignored")
            #expect(try await HTTP.get(url).status == 405)
            #expect(try await HTTP.get("\(service.url)/v1/nothing").status == 404)
            let files = try TemporaryDirectory()
            let huge = try files.write(HTTP.chat(String(repeating: "a", count: 32 << 20)), to: "huge.json")
            let tooLarge = try await HTTP.post(url, "@\(huge)", headers: ["expect:"])
            #expect(tooLarge.status == 413, "\(tooLarge.body)")
            try await Self.expectGood(url, "a huge body")
        }

        @discardableResult
        private static func expect(
            _ url: String,
            _ body: String,
            _ headers: [String],
            _ status: Int,
            _ code: String?,
            _ name: String
        ) async throws -> HTTP {
            let answer = try await HTTP.post(url, body, headers: headers)
            #expect(answer.status == status, "\(name): \(answer.body)")
            if let code { #expect(answer.errorCode == code, "\(name): \(answer.body)") }
            let error = try answer.json()["error"] as? [String: Any]
            #expect(error?["type"] as? String == "invalid_request_error", "\(name)")
            try await expectGood(url, name)
            return answer
        }

        private static func expectGood(_ url: String, _ name: String) async throws {
            let good = try await HTTP.post(url, HTTP.chat("Hi", #""max_tokens": 4"#))
            #expect(good.status == 200, "after \(name): \(good.body)")
        }
    }
}
