internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import StandInServer
internal import Testing

extension IntegrationTests {
    /// Servers with OpenAI's interface as workers, and what they may do wrong.
    @Suite struct Upstream {
        private static func up(_ server: StandInServer, _ flags: String...) async throws -> Service {
            try await Service.up(["--engine", "upstream", "--upstream", server.url] + flags, workers: 1)
        }

        private static func answers(_ endpoints: Endpoints, _ requests: [QueryRequest]) async throws -> [Answer] {
            try await endpoints.withClient { client in
                try await within("all answers") {
                    try await withThrowingTaskGroup { group in
                        for (number, request) in requests.enumerated() {
                            group.addTask { (number, try await Answer.of(client, request)) }
                        }
                        var answers = [Answer](repeating: Answer(), count: requests.count)
                        for try await (number, answer) in group { answers[number] = answer }
                        return answers
                    }
                }
            }
        }

        @Test func `Every form of prompt is answered, over ZeroMQ and over HTTP`() async throws {
            var model = StandInModel()
            model.apiKey = "sesame"
            let server = try await StandInServer.start(model)
            let files = try TemporaryDirectory()
            let key = files.url.appendingPathComponent("key").path
            try #require(
                FileManager.default.createFile(
                    atPath: key,
                    contents: Data("sesame\n".utf8),
                    attributes: [.posixPermissions: 0o600]
                )
            )
            let service = try await Self.up(server, "--upstream-api-key-file", key)
            let answers = try await Self.answers(
                service.endpoints,
                [
                    .chat("Hello", maxTokens: 30), QueryRequest(input: .text("Once"), maxTokens: 5),
                    QueryRequest(input: .tokens([5, 6, 7]), maxTokens: 30),
                ]
            )
            for answer in answers {
                #expect(answer.failure == nil && answer.gaps == 0 && answer.repeats == 0)
                #expect(answer.count == answer.outputTokens && answer.tokens.isEmpty)
            }
            #expect(answers.map(\.count) == [12, 5, 12] && answers.map(\.finish) == [.stop, .length, .stop])
            #expect(answers[1].text.split(separator: " ").count == 5)
            let http = try await HTTP.post(
                "\(service.url)/v1/chat/completions",
                HTTP.chat("Hello", #""max_tokens": 30"#)
            )
            let usage = try #require(try http.json()["usage"] as? [String: Any])
            #expect(usage["completion_tokens"] as? Int == 12 && (usage["prompt_tokens"] as? Int ?? 0) > 0)
            let status = try await service.endpoints.status()
            #expect(
                status.workers[0].engine == "upstream" && status.workers[0].profile.kvCache.capacityTokens == 16_000
            )
            #expect(!service.process.transcript.contains("sesame"))
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0)
            await server.stop()
        }

        @Test func `A server that is killed loses no query where another serves its model, and comes back by itself`()
            async throws
        {
            let hanging: StandInServer.Script = { request, answer in
                try await answer.begin()
                try await answer.event(request, "lost")
                try await answer.hang()
            }
            let first = try await StandInServer.start(script: hanging)
            let second = try await StandInServer.start()
            let cluster = try await Cluster.start()
            let scheduler = cluster.scheduler("--policy", "round-robin")
            let workers = [
                cluster.worker("a", "--engine", "upstream", "--upstream", first.url),
                cluster.worker("b", "--engine", "upstream", "--upstream", second.url),
            ]
            try await cluster.endpoints.status("both workers") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let requests = (0..<8).map { QueryRequest(input: .text("Story \($0)"), maxTokens: 50) }
            async let underWay = Self.answers(cluster.endpoints, requests)
            try await first.wait { asked, _ in asked.count == 4 }
            await first.stop()
            let answers = try await underWay
            for answer in answers {
                #expect(answer.failure == nil && answer.count == 12 && answer.gaps == 0 && answer.repeats == 0)
                #expect(!answer.text.contains("lost") && answer.workers.last == "b")
            }
            #expect(answers.contains { $0.workers == ["a", "b"] && $0.resets == 1 })
            #expect(answers.count { $0.workers.first == "a" } == 4)
            try await cluster.endpoints.status("one worker that serves") { $0.workers.count { !$0.isDraining } == 1 }
            let again = try await StandInServer.start(inPlaceOf: first)
            try await cluster.endpoints.status("both workers again") {
                $0.workers.count == 2 && $0.workers.allSatisfy { !$0.isDraining }
            }
            let later = try await Self.answers(cluster.endpoints, requests)
            #expect(later.allSatisfy { $0.failure == nil } && Set(later.flatMap(\.workers)) == ["a", "b"])
            for process in workers {
                process.kill(SIGTERM)
                #expect(try await process.exitCode() == 0, "\(process.transcript)")
            }
            await again.stop()
            await second.stop()
            _ = scheduler
        }

        @Test func `A server that is not there yet is waited for, with words`() async throws {
            let server = try await StandInServer.start()
            await server.stop()
            let process = ServiceProcess(
                ["up", "--http", "127.0.0.1:0", "--engine", "upstream", "--upstream", server.url] + Endpoints().flags
            )
            let words = try await process.line("waiting for the server")
            #expect(words.contains(server.url))
            let late = try await StandInServer.start(inPlaceOf: server)
            try await process.line("aladdin is ready on http://", in: \.output)
            process.kill(SIGINT)
            #expect(try await process.exitCode() == 0)
            await late.stop()
        }

        @Test func `A full server is waited for; one that refuses the request ends the query with its reason`()
            async throws
        {
            let server = try await StandInServer.start()
            let service = try await Self.up(server)
            server.react { [unowned server] request, answer in
                server.react { try await $1.complete($0) }
                try await answer.refuse(503)
            }
            let patient = try await Self.answers(service.endpoints, [.chat("Hello", maxTokens: 30)])
            #expect(patient[0].failure == nil && patient[0].count == 12 && patient[0].workers.count == 1)
            server.react { try await $1.refuse(400) }
            let refused = try await Self.answers(
                service.endpoints,
                [.chat("Hello"), .chat(String(repeating: "x", count: 40_000))]
            )
            #expect(refused[0].failure?.code == .invalidArgument && refused[1].failure?.reason == .promptTooLong)
            server.react { try await $1.cut() }
            let broken = try await Self.answers(service.endpoints, [.chat("Hello")])
            #expect(broken[0].failure?.reason == .attemptsExhausted)
            #expect(try await service.endpoints.status().workers.count == 1)
            await server.stop()
        }

        @Test(arguments: ["client", "deadline"])
        func `Who does not want the rest any more closes the connection to the server`(who: String) async throws {
            let server = try await StandInServer.start { request, answer in
                try await answer.begin()
                try await answer.event(request, "a")
                try await answer.hang()
            }
            let service = try await Self.up(server)
            let headers = who == "deadline" ? ["x-request-timeout-ms: 1500"] : []
            let stream = HTTP.open(
                "\(service.url)/v1/chat/completions",
                HTTP.chat("Hello", #""stream": true"#),
                headers: headers
            )
            try await stream.line("content", in: \.output)
            if who == "client" { stream.kill(SIGKILL) }
            try await within("the server to be left") { try await server.wait { $1 == 1 } }
            try await service.endpoints.status("an idle worker") { $0.workers[0].running == 0 }
            await server.stop()
        }
    }
}
