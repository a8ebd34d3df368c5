internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    /// Things that go wrong more gently than by kill -9.
    @Suite struct Trouble {
        private static func cluster(
            _ files: TemporaryDirectory,
            stepMilliseconds: Double = 4
        ) async throws -> (
            cluster: Cluster, scheduler: ServiceProcess, workers: [ServiceProcess]
        ) {
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: stepMilliseconds)]
            let cluster = try await Cluster.start()
            let scheduler = cluster.scheduler("--policy", "round-robin")
            let workers = ["a", "b"].map { name in
                ServiceProcess(["worker", "--name", name] + cluster.endpoints.flags + engine)
            }
            try await cluster.endpoints.status("both workers") { $0.workers.count == 2 && !$0.policy.isEmpty }
            return (cluster, scheduler, workers)
        }

        /// Eight streams, and what happens to the first worker once each has begun.
        private static func answers(
            _ cluster: Cluster,
            length: Int = 1500,
            whenAllHaveBegun act: @escaping @Sendable () -> Void
        ) async throws -> (answers: [Answer], expected: [Answer]) {
            let requests = (0..<8).map { QueryRequest.chat("Number \($0)", maxTokens: length, seed: UInt64($0)) }
            let expected = try await Failover.answers(cluster.endpoints, requests)
            let begun = Mutex<Set<Int>>([])
            let answers = try await Failover.answers(cluster.endpoints, requests) { query, tokens in
                let isTime = begun.withLock { begun in
                    tokens >= 5 && begun.insert(query).inserted && begun.count == requests.count
                }
                if isTime { act() }
            }
            return (answers, expected)
        }

        private static func expectWhole(_ answers: [Answer], _ expected: [Answer]) {
            for (answer, expected) in zip(answers, expected) {
                #expect(answer.failure == nil)
                #expect(answer.gaps == 0 && answer.repeats == 0 && answer.resets == 0)
                #expect(answer.text == expected.text && answer.count == expected.count)
            }
        }

        @Test func `A worker that is asked to stop finishes what it has, and nothing is lost`() async throws {
            let files = try TemporaryDirectory()
            let (cluster, scheduler, workers) = try await Self.cluster(files)
            let (answers, expected) = try await Self.answers(cluster) { workers[0].kill(SIGTERM) }
            Self.expectWhole(answers, expected)
            #expect(try await workers[0].exitCode() == 0, "\(workers[0].transcript)")
            try await cluster.endpoints.status("one worker") { $0.workers.count == 1 && $0.model?.completed == 16 }
            _ = scheduler
        }

        @Test func `A worker that hangs loses its queries to the other, and its late tokens go nowhere`() async throws {
            let files = try TemporaryDirectory()
            let (cluster, scheduler, workers) = try await Self.cluster(files)
            let (answers, expected) = try await Self.answers(cluster) { workers[0].kill(SIGSTOP) }
            Self.expectWhole(answers, expected)
            #expect(answers.count { $0.workers == ["a", "b"] } == 4)
            try await cluster.endpoints.status("one worker") { $0.workers.count == 1 }
            workers[0].kill(SIGCONT)
            let status = try await cluster.endpoints.status("both again") { $0.workers.count == 2 }
            #expect(status.model?.completed == 16)
            #expect(status.model?.failed == 0)
            let later = try await Failover.answers(cluster.endpoints, (0..<4).map { .chat("Later \($0)") })
            #expect(later.allSatisfy { $0.failure == nil && $0.count == 24 })
            _ = scheduler
        }

        @Test func `Streams survive the loss of every worker if a new one comes`() async throws {
            let files = try TemporaryDirectory()
            let (cluster, scheduler, workers) = try await Self.cluster(files)
            let flags = cluster.endpoints.flags
            let profile = try files.profile(stepMilliseconds: 4)
            let heir = Mutex<ServiceProcess?>(nil)
            let (answers, expected) = try await Self.answers(cluster) {
                for worker in workers { worker.kill(SIGKILL) }
                let arguments = ["worker", "--name", "c", "--engine", "emulated", "--profile", profile] + flags
                heir.withLock { $0 = ServiceProcess(arguments) }
            }
            Self.expectWhole(answers, expected)
            #expect(answers.allSatisfy { $0.workers.last == "c" })
            _ = scheduler
        }

        @Test func `A query without any worker is refused at once, and the gateway is not ready`() async throws {
            let cluster = try await Cluster.start()
            let (gateway, url) = try await cluster.gateway()
            let answers = try await Failover.answers(cluster.endpoints, [.chat("Hi")])
            #expect(answers[0].failure?.code == .unavailable && answers[0].failure?.reason == .noWorker)
            #expect(try await HTTP.get("\(url)/health").status == 200)
            #expect(try await HTTP.get("\(url)/ready").status == 503)
            let http = try await eventually("the gateway's session") {
                try await HTTP.post("\(url)/v1/chat/completions", HTTP.chat("Hi"))
            } until: {
                $0.errorCode == "no_worker"
            }
            #expect(http.status == 503)
            #expect(http.headers["retry-after"].flatMap(Int.init) != nil)
            _ = gateway
        }

        @Test func `A query's timeout ends it everywhere`() async throws {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 20)
            let service = try await Service.up("--engine", "emulated", "--profile", profile, workers: 1)
            let endpoints = service.endpoints
            let answers = try await Failover.answers(
                endpoints,
                [.chat("Hi", maxTokens: 100_000, metadata: [("x-request-timeout-ms", "300")])]
            )
            #expect(answers[0].failure?.code == .deadlineExceeded && answers[0].failure?.reason == .deadlineExpired)
            let http = try await HTTP.post(
                "\(service.url)/v1/chat/completions",
                HTTP.chat("Hi", #""max_tokens": 100000"#),
                headers: ["x-request-timeout-ms: 300"]
            )
            #expect(http.status == 504, "\(http.body)")
            #expect(http.errorCode == "deadline_expired")
            try await endpoints.status("an idle engine") {
                $0.model?.running == 0 && $0.workers[0].freeKVTokens == $0.workers[0].profile.kvCache.capacityTokens
            }
        }

        @Test func `An HTTP client that stops reading disturbs nobody`() async throws {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 0.05)
            let service = try await Service.up("--engine", "emulated", "--profile", profile)
            let body = HTTP.chat("Hello", #""stream": true, "max_tokens": 16000"#)
            let deaf = HTTP.open("\(service.url)/v1/chat/completions", body)
            try await deaf.line("content", in: \.output)
            deaf.kill(SIGSTOP)
            for number in 0..<8 {
                let answer = try await HTTP.post(
                    "\(service.url)/v1/chat/completions",
                    HTTP.chat("Number \(number)", #""max_tokens": 200"#)
                )
                #expect(answer.status == 200)
            }
            try await service.endpoints.status("nothing running") { $0.model?.running == 0 }
        }

        @Test func `Ctrl-C in the middle of streams ends up in good time, and the clients are told`() async throws {
            let files = try TemporaryDirectory()
            let service = try await Service.up(
                "--engine",
                "emulated",
                "--profile",
                try files.profile(stepMilliseconds: 20)
            )
            let body = HTTP.chat("Hello", #""stream": true, "max_tokens": 100000"#)
            let http = HTTP.open("\(service.url)/v1/chat/completions", body)
            let own = ServiceProcess(["query", "--max-tokens", "100000", "Hello"] + service.endpoints.flags)
            try await http.line("content", in: \.output)
            try await service.endpoints.status("both running") { $0.model?.running == 2 }
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
            try await http.line("error", in: \.output)
            try await http.exitCode()
            try await own.line("unavailable")
            #expect(try await own.exitCode() == 1)
        }
    }
}
