internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    @Suite struct Failover {
        private static let prompts = (0..<16).map { "Tell me story number \($0) about a lamp and the sea." }

        @Test func `Sixteen queries at once over four processes answer what one process answers`() async throws {
            let single = try await Service.up()
            let expected = try await Self.answers(single.endpoints, Self.prompts.map { .chat($0, maxTokens: 48) })
            single.process.kill(SIGINT)

            let cluster = try await Cluster.start()
            let roles = [cluster.scheduler(), cluster.worker("a"), cluster.worker("b")]
            let (gateway, url) = try await cluster.gateway()
            try await cluster.endpoints.status("two workers and a policy") {
                $0.workers.count == 2 && !$0.policy.isEmpty
            }
            let answers = try await Self.answers(cluster.endpoints, Self.prompts.map { .chat($0, maxTokens: 48) })
            #expect(answers.map(\.text) == expected.map(\.text))
            #expect(answers.map(\.tokens) == expected.map(\.tokens))
            #expect(answers.allSatisfy { $0.failure == nil && $0.count == $0.outputTokens })
            #expect(Set(answers.flatMap(\.workers)) == ["a", "b"])

            let http = try await HTTP.post(
                "\(url)/v1/chat/completions",
                HTTP.chat(Self.prompts[3], #""max_tokens": 48, "temperature": 0"#)
            )
            let choices = try #require(try http.json()["choices"] as? [[String: Any]], "\(http.body)")
            #expect((choices.first?["message"] as? [String: Any])?["content"] as? String == expected[3].text)

            for process in roles + [gateway, cluster.broker] {
                process.kill(SIGTERM)
                #expect(try await process.exitCode() == 0, "\(process.transcript)")
            }
        }

        @Test(arguments: [true, false])
        func `Streams go on without gap or repeat when their worker is killed`(isEmulated: Bool) async throws {
            let files = try TemporaryDirectory()
            let engine =
                isEmulated ? ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 4)] : []
            let length = isEmulated ? 1500 : 800
            let requests = (0..<8).map { number in
                QueryRequest(
                    input: .text("Once upon a time number \(number),"),
                    maxTokens: length,
                    sampling: Sampling(seed: UInt64(number))
                )
            }
            let cluster = try await Cluster.start()
            let scheduler = cluster.scheduler("--policy", "round-robin")
            let flags = cluster.endpoints.flags + engine
            let victim = ServiceProcess(["worker", "--name", "victim"] + flags)
            let heir = ServiceProcess(["worker", "--name", "heir"] + flags)
            try await cluster.endpoints.status("both workers") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let undisturbed = try await Self.answers(cluster.endpoints, requests)

            let begun = Mutex<Set<Int>>([])
            let answers = try await Self.answers(cluster.endpoints, requests) { query, tokens in
                let isTime = begun.withLock { begun in
                    tokens >= 5 && begun.insert(query).inserted && begun.count == requests.count
                }
                if isTime { victim.kill(SIGKILL) }
            }
            #expect(try await victim.exitCode() == 128 + SIGKILL)
            for (answer, expected) in zip(answers, undisturbed) {
                #expect(answer.failure == nil)
                #expect(answer.gaps == 0 && answer.repeats == 0 && answer.resets == 0)
                #expect(answer.count == answer.outputTokens)
                #expect(answer.tokens == expected.tokens)
                #expect(answer.text == expected.text)
                #expect(answer.workers.last == "heir" || answer.workers == ["victim"])
            }
            #expect(answers.contains { $0.workers == ["victim", "heir"] })
            if isEmulated { #expect(answers.count { $0.workers == ["victim", "heir"] } == 4) }
            let status = try await cluster.endpoints.status("one worker, idle") {
                $0.workers.count == 1 && $0.model?.running == 0
            }
            #expect(status.model?.completed == 16)
            #expect(status.model?.retried == UInt64(answers.count { $0.workers.count == 2 }))
            _ = (scheduler, heir)
        }

        @Test func `Queries are served without the scheduler, and its policy is back when it is`() async throws {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 1)
            let cluster = try await Cluster.start()
            let first = cluster.scheduler("--policy", "jsq")
            let worker = cluster.worker("a", "--engine", "emulated", "--profile", profile)
            try await cluster.endpoints.status("the policy") { $0.workers.count == 1 && $0.policy == "jsq" }

            first.kill(SIGKILL)
            let endpoints = cluster.endpoints
            let orphans = try await Self.answers(endpoints, (0..<4).map { .chat("Without a scheduler \($0)") })
            #expect(orphans.allSatisfy { $0.failure == nil && $0.count == 24 })
            try await cluster.endpoints.status("no policy") { $0.policy.isEmpty }

            let second = cluster.scheduler("--policy", "least-tokens")
            try await cluster.endpoints.status("the new policy") { $0.policy == "least-tokens" }
            let answers = try await Self.answers(endpoints, (0..<4).map { .chat("With a scheduler \($0)") })
            #expect(answers.allSatisfy { $0.failure == nil && $0.count == 24 })
            let status = try await cluster.endpoints.status("its decisions") { $0.decisions >= 4 }
            #expect(status.model?.completed == 8)
            _ = (second, worker)
        }

        @Test func `Everybody comes back by himself when the broker was killed and started again`() async throws {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 20)
            var cluster = try await Cluster.start()
            let roles = [
                cluster.scheduler(), cluster.worker("a", "--engine", "emulated", "--profile", profile),
                cluster.worker("b", "--engine", "emulated", "--profile", profile),
            ]
            let (gateway, url) = try await cluster.gateway()
            try await cluster.endpoints.status("all roles") { $0.workers.count == 2 && !$0.policy.isEmpty }

            let broker = cluster.broker
            let stream = HTTP.open(
                "\(url)/v1/chat/completions",
                HTTP.chat("Hello", #""stream": true, "max_tokens": 100000"#)
            )
            try await stream.line("content", in: \.output)
            let answer = try await cluster.endpoints.withClient { client in
                let isKilled = Mutex(false)
                return try await within("the query to end") {
                    try await Answer.of(client, .chat("Hello", maxTokens: 100_000)) { tokens in
                        let isTime = isKilled.withLock { isKilled in
                            defer { isKilled = isKilled || tokens >= 5 }
                            return tokens >= 5 && !isKilled
                        }
                        if isTime { broker.kill(SIGKILL) }
                    }
                }
            }
            #expect(answer.failure?.code == .unavailable)
            #expect(answer.finish == nil)
            try await stream.line("error", in: \.output)

            cluster.broker = ServiceProcess(["broker"] + cluster.endpoints.flags)
            try await cluster.broker.line("broker serves")
            try await cluster.endpoints.status("everybody again") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let later = try await Self.answers(cluster.endpoints, (0..<4).map { .chat("Again \($0)") })
            #expect(later.allSatisfy { $0.failure == nil && $0.count == 24 })
            let http = try await eventually("the gateway to be back") {
                try await HTTP.post("\(url)/v1/chat/completions", HTTP.chat("Hello", #""max_tokens": 4"#))
            } until: {
                $0.status != 503
            }
            #expect(http.status == 200, "\(http.body)")
            for process in roles + [gateway] { #expect(process.isRunning, "\(process.transcript)") }
        }

        /// The answers to queries sent at once by one client.
        static func answers(
            _ endpoints: Endpoints,
            _ requests: [QueryRequest],
            onToken: (@Sendable (_ query: Int, _ tokens: Int) -> Void)? = nil
        ) async throws -> [Answer] {
            try await endpoints.withClient { client in
                try await within("\(requests.count) answers") {
                    try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                        for (number, request) in requests.enumerated() {
                            group.addTask {
                                (number, try await Answer.of(client, request) { onToken?(number, $0) })
                            }
                        }
                        var answers = [Answer](repeating: Answer(), count: requests.count)
                        for try await (number, answer) in group { answers[number] = answer }
                        return answers
                    }
                }
            }
        }
    }
}
