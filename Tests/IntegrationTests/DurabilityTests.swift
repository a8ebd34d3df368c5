internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    @Suite struct DurableQueries {
        @Test(arguments: ["accept", "stream"])
        func `Answers go on when the broker is killed and started again`(level: String) async throws {
            let files = try TemporaryDirectory()
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 4)]
            let requests = (0..<8).map { number in
                QueryRequest(
                    input: .text("Number \(number)"),
                    maxTokens: 500,
                    sampling: Sampling(seed: UInt64(number)),
                    metadata: [("x-aladdin-durability", level)]
                )
            }
            var cluster = try await Cluster.start("--data", files.path("data"))
            let workers = ["a", "b"].map {
                ServiceProcess(["worker", "--name", $0] + cluster.endpoints.flags + engine)
            }
            let scheduler = cluster.scheduler()
            try await cluster.endpoints.status("two workers and a policy") {
                $0.workers.count == 2 && !$0.policy.isEmpty
            }
            let endpoints = cluster.endpoints
            let undisturbed = try await Failover.answers(endpoints, requests)
            let begun = Mutex<Set<Int>>([])
            let victim = cluster.broker
            async let answers = Failover.answers(endpoints, requests) { query, tokens in
                let isTime = begun.withLock { begun in
                    tokens >= 80 && begun.insert(query).inserted && begun.count == requests.count
                }
                if isTime { victim.kill(SIGKILL) }
            }
            #expect(try await victim.exitCode() == 128 + SIGKILL)
            try await cluster.restartBroker("--data", files.path("data"))
            for (answer, expected) in zip(try await answers, undisturbed) {
                #expect(answer.failure == nil)
                #expect(answer.gaps == 0 && answer.repeats == 0)
                #expect(answer.count == answer.outputTokens)
                #expect(answer.text == expected.text)
                #expect(answer.tokens == expected.tokens)
            }
            _ = (workers, scheduler)
        }

        @Test func `A name is one query, and its result is there, across a restart of the broker`() async throws {
            let files = try TemporaryDirectory()
            var cluster = try await Cluster.start("--data", files.path("data"))
            let roles = [cluster.scheduler(), cluster.worker("a")]
            try await cluster.endpoints.status("a worker and a policy") {
                $0.workers.count == 1 && !$0.policy.isEmpty
            }
            let named = QueryRequest.chat("Tell me of a lamp.", metadata: [("idempotency-key", "lamp-1")])
            let first = try #require(try await Failover.answers(cluster.endpoints, [named]).first)
            #expect(first.failure == nil && first.count > 0)
            cluster.broker.kill(SIGKILL)
            try await cluster.broker.exitCode()
            try await cluster.restartBroker("--data", files.path("data"))
            // The worker need not even be back: its model is known from the journal, and a query waits for it.
            let endpoints = cluster.endpoints
            async let next = Failover.answers(endpoints, [.chat("Tell me of a rug.")])
            let story = try await Run.aladdin(["explain", first.id, "--json"] + cluster.endpoints.flags)
            let attempts = try story.json()["attempts"] as? [[String: Any]]
            #expect(attempts?.map { $0["worker_name"] as? String } == first.workers, "\(story.errors)")
            #expect(try await next.first?.failure == nil)
            let again = try #require(try await Failover.answers(cluster.endpoints, [named]).first)
            #expect(again.id == first.id && again.text == first.text && again.tokens == first.tokens)
            let attached = try await Run.aladdin(["query", "--attach", first.id, "--json"] + cluster.endpoints.flags)
            #expect(try attached.json()["text"] as? String == first.text)
            let (gateway, url) = try await cluster.gateway()
            let result = try await HTTP.get("\(url)/v1/queries/\(first.id)")
            #expect(try result.json()["text"] as? String == first.text)
            #expect(try result.json()["status"] as? String == "completed")
            let events = try await HTTP.get("\(url)/v1/queries/\(first.id)?stream=true&from=2")
            #expect(events.body.contains(#""first_index":2"#) && events.body.contains("data: [DONE]"))
            let nobody = "0190163d-8694-739b-aea5-966c26f8ad91"
            #expect(try await HTTP.get("\(url)/v1/queries/\(nobody)").status == 404)
            var other = named
            other.maxTokens += 1
            let refused = try #require(try await Failover.answers(cluster.endpoints, [other]).first)
            #expect(refused.failure?.code == .alreadyExists)
            _ = (roles, gateway)
        }

        @Test func `A journal belongs to one broker; another is told so and ends`() async throws {
            let files = try TemporaryDirectory()
            let cluster = try await Cluster.start("--data", files.path("data"))
            let second = try await Run.aladdin(["broker", "--data", files.path("data")] + Endpoints().flags)
            #expect(second.code == 1)
            #expect(second.errors.contains(files.path("data")), "\(second.errors)")
            #expect(cluster.broker.isRunning)
        }

        @Test(arguments: [SIGKILL, SIGSTOP])
        func `A scheduler that stands by takes over when the leader is killed or stopped`(signal: Int32) async throws {
            let cluster = try await Cluster.start("--journal", "none")
            let leader = cluster.scheduler("--policy", "jsq")
            try await leader.line("scheduling")
            try await cluster.endpoints.status("the leader's policy") { $0.policy == "jsq" }
            let standby = cluster.scheduler("--policy", "round-robin", "--standby")
            try await cluster.broker.line("scheduler stands by")
            let worker = cluster.worker("a")
            leader.kill(signal)
            try await cluster.endpoints.status("the standby's policy") {
                $0.policy == "round-robin" && $0.workers.count == 1
            }
            let answer = try #require(try await Failover.answers(cluster.endpoints, [.chat("Hello")]).first)
            #expect(answer.failure == nil)
            if signal == SIGSTOP {
                // Awake again, it finds its session gone and stands by itself.
                leader.kill(SIGCONT)
                try await leader.line("standing by")
                #expect(try await cluster.endpoints.status().policy == "round-robin")
            }
            _ = (standby, worker)
        }

        @Test(arguments: ["its worker is lost", "its gateway shuts down"])
        func `A stream that ends early leaves its query to whoever asks again under its name`(when: String) async throws
        {
            let files = try TemporaryDirectory()
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 30), "--no-resume"]
            let cluster = try await Cluster.start("--data", files.path("data"))
            let scheduler = cluster.scheduler()
            let workers = ["a", "b"].map {
                ServiceProcess(["worker", "--name", $0] + cluster.endpoints.flags + engine)
            }
            try await cluster.endpoints.status("two workers and a policy") {
                $0.workers.count == 2 && !$0.policy.isEmpty
            }
            let (first, url) = try await cluster.gateway()
            let body = HTTP.chat("Hi", #""stream": true, "max_tokens": 300, "seed": 7"#)
            let key = ["idempotency-key: interrupted"]
            let stream = HTTP.open("\(url)/v1/chat/completions", body, headers: key)
            try await stream.line("data: {", in: \.output)
            if when == "its worker is lost" {
                let status = try await cluster.endpoints.status("who runs it") {
                    $0.workers.contains { $0.running > 0 }
                }
                let busy = try #require(status.workers.first { $0.running > 0 }).name
                workers[busy == "a" ? 0 : 1].kill(SIGKILL)
            } else {
                first.kill(SIGTERM)
            }
            try await stream.exitCode()
            let (second, other) = try await cluster.gateway()
            let again = HTTP.chat("Hi", #""max_tokens": 300, "seed": 7"#)
            let answer = try await eventually("the answer") {
                try await HTTP.post("\(other)/v1/chat/completions", again, headers: key)
            } until: {
                $0.status != 503
            }
            #expect(answer.status == 200, "\(answer.body)")
            let usage = try answer.json()["usage"] as? [String: Any]
            #expect(usage?["completion_tokens"] as? Int == 300)
            _ = (scheduler, workers, second)
        }
    }
}
