internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    @Suite struct SingleProcess {
        @Test func `up serves readable text over HTTP and ZeroMQ, and ends cleanly with Ctrl-C`() async throws {
            let service = try await Service.up()
            let body = HTTP.chat(
                "Tell me a story about a lamp.",
                #""stream": true, "max_tokens": 40, "temperature": 0"#
            )
            let stream = HTTP.open("\(service.url)/v1/chat/completions", body)
            try await stream.line("data: [DONE]", in: \.output)
            let text = try HTTP.streamedText(stream.output.lines)
            #expect(text.split(separator: " ").count >= 10)
            #expect(text.unicodeScalars.allSatisfy { $0.isASCII && ($0.value >= 0x20 || $0 == "\n") }, "\(text)")

            let whole = try await HTTP.post(
                "\(service.url)/v1/chat/completions",
                HTTP.chat("Tell me a story about a lamp.", #""max_tokens": 40, "temperature": 0"#)
            )
            #expect(whole.status == 200)
            #expect(whole.headers["x-aladdin-query-id"]?.isEmpty == false)
            #expect(whole.headers["x-aladdin-worker"]?.hasPrefix("worker-") == true)
            #expect(whole.headers["x-aladdin-predicted-ttft-ms"].flatMap(Double.init) != nil)
            let choices = try #require(try whole.json()["choices"] as? [[String: Any]])
            let message = try #require(choices.first?["message"] as? [String: Any])
            #expect(message["content"] as? String == text)

            let question = ["query", "--max-tokens", "40", "Tell me a story about a lamp."] + service.endpoints.flags
            let plain = try await Run.aladdin(question)
            #expect(plain.code == 0)
            #expect(plain.output.trimmingCharacters(in: .newlines) == text.trimmingCharacters(in: .newlines))
            let json = try await Run.aladdin(question + ["--json"])
            #expect(json.code == 0)
            let answer = try json.json()
            #expect(answer["text"] as? String == text)
            #expect(answer["output_tokens"] as? Int == 40)
            #expect(answer["finish_reason"] as? String == "length")

            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
            #expect(kill(-service.process.id, 0) == -1, "something of the group is left")
        }

        @Test(arguments: ["one", "two", "each"])
        func `The roles answer on as many threads as they are given, and end together`(threads: String) async throws {
            let service = try await Service.up(["--role-threads", threads])
            // As many at once, so that each way between two roles has several messages under way.
            let answers = try await withThrowingTaskGroup { group in
                for number in 0..<16 {
                    let body = HTTP.chat("Tell me a story.", #""max_tokens": \#(8 + number % 2), "temperature": 0"#)
                    group.addTask { try await HTTP.post("\(service.url)/v1/chat/completions", body) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 200 })
            let lengths = try answers.map { answer in
                (try answer.json()["usage"] as? [String: Any])?["completion_tokens"] as? Int
            }
            #expect(lengths.count { $0 == 8 } == 8 && lengths.count { $0 == 9 } == 8)
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
        }

        @Test func `Ctrl-C ends a service whose engine does not come back from its step`() async throws {
            // Its first step takes hours.
            let files = try TemporaryDirectory()
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 1)]
            let service = try await Service.up(engine + ["--time-scale", "10000000"])
            let body = HTTP.chat("Tell me a story.", #""stream": true"#)
            let stream = HTTP.open("\(service.url)/v1/chat/completions", body)
            try await service.endpoints.status("a running query") { $0.model?.running == 1 }
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
            try await service.process.line("this worker ends without it", in: \.errors)
            stream.kill(SIGKILL)
        }

        @Test func `The pages that say how the service is answer`() async throws {
            let service = try await Service.up()
            #expect(try await HTTP.get("\(service.url)/health").status == 200)
            let ready = try await HTTP.get("\(service.url)/ready")
            #expect(ready.status == 200)
            #expect(try ready.json()["models"] as? [String] == ["aladdin-tiny"])
            let models = try await HTTP.get("\(service.url)/v1/models").json()
            #expect((models["data"] as? [[String: Any]])?.first?["id"] as? String == "aladdin-tiny")
            #expect(try await HTTP.get("\(service.url)/metrics").body.contains("# TYPE"))
            #expect(try await HTTP.get("\(service.url)/").status == 200)
            let table = try await Run.aladdin(["status"] + service.endpoints.flags)
            #expect(table.code == 0)
            #expect(table.output.contains("aladdin-tiny") && table.output.contains("worker-2"))
        }

        @Test func `The status names the model that each worker serves, before and after its first steps`() async throws
        {
            let service = try await Service.up()
            _ = try await Run.aladdin(["query", "--max-tokens", "8", "Hello"] + service.endpoints.flags)
            try await service.endpoints.status("steps learnt") { status in status.workers.contains { $0.steps > 0 } }
            let status = try await Run.aladdin(["status", "--json"] + service.endpoints.flags).json()
            let workers = try #require(status["workers"] as? [[String: Any]])
            #expect(workers.map { $0["model"] as? String } == ["aladdin-tiny", "aladdin-tiny"])
        }

        @Test func `A second up on the same ports says which one is in use`() async throws {
            let service = try await Service.up()
            let sockets = try await Run.aladdin(["up", "--http", "127.0.0.1:0"] + service.endpoints.flags)
            #expect([1, 2].contains(sockets.code))
            #expect(
                sockets.errors.contains("in use") && sockets.errors.contains(service.endpoints.frontend),
                "\(sockets.errors)"
            )

            let address = String(service.url.dropFirst("http://".count))
            let http = try await Run.aladdin(["up", "--http", address] + Endpoints().flags)
            #expect([1, 2].contains(http.code))
            #expect(http.errors.contains("already") && http.errors.contains(address), "\(http.errors)")

            let again = try await Run.aladdin(["query", "--max-tokens", "4", "Hello"] + service.endpoints.flags)
            #expect(again.code == 0, "the first service serves on")
        }
    }
}
