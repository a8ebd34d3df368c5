internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    /// Workers for prompts and workers for decodes, with the KV cache handed over in between.
    @Suite struct SplitPhase {
        private struct Pools {
            var cluster: Cluster
            var scheduler: ServiceProcess
            var prefills: [ServiceProcess]
            var decodes: [ServiceProcess]
            let files: TemporaryDirectory

            var exchange: String { files.path("exchange") }

            var caches: [String] { (try? FileManager.default.contentsOfDirectory(atPath: exchange)) ?? [] }
        }

        private static func pools(
            prefills: Int = 1,
            decodes: Int = 1,
            engine: [String] = [],
            policy: String = "aladdin",
            broker: String...
        ) async throws -> Pools {
            let files = try TemporaryDirectory()
            var cluster = try await Cluster.start()
            if !broker.isEmpty {
                cluster.broker.kill(SIGKILL)
                cluster.broker = ServiceProcess(["broker"] + Endpoints().flags + broker)
                cluster.endpoints = try await Endpoints(of: cluster.broker)
            }
            var pools = Pools(
                cluster: cluster,
                scheduler: cluster.scheduler("--policy", policy),
                prefills: [],
                decodes: [],
                files: files
            )
            for number in 0..<prefills { pools.prefills.append(worker(pools, "p\(number)", "prefill", engine)) }
            for number in 0..<decodes { pools.decodes.append(worker(pools, "d\(number)", "decode", engine)) }
            try await cluster.endpoints.status("all workers") {
                $0.workers.count == prefills + decodes && !$0.policy.isEmpty
            }
            return pools
        }

        private static func worker(_ pools: Pools, _ name: String, _ role: String, _ engine: [String]) -> ServiceProcess
        {
            let flags = ["--name", name, "--role", role, "--kv-exchange", pools.exchange]
            return ServiceProcess(["worker"] + flags + pools.cluster.endpoints.flags + engine)
        }

        /// Greedy and drawn, short and long.
        private static func requests(_ count: Int, maxTokens: Int = 40) -> [QueryRequest] {
            (0..<count).map { number in
                let story = String(repeating: "Once there was a lamp by the sea. ", count: 1 + number % 5 * 4)
                return QueryRequest(
                    input: .text(story + "Story \(number):"),
                    maxTokens: number == 3 ? 1 : maxTokens,
                    sampling: number.isMultiple(of: 2)
                        ? Sampling() : Sampling(temperature: 0.8, topP: 0.95, seed: UInt64(number))
                )
            }
        }

        private static func expectWhole(_ answers: [Answer], _ expected: [Answer]) {
            for (answer, expected) in zip(answers, expected) {
                #expect(answer.failure == nil)
                #expect(answer.gaps == 0 && answer.repeats == 0 && answer.resets == 0)
                #expect(answer.tokens == expected.tokens && answer.text == expected.text)
                #expect(answer.count == answer.outputTokens && answer.finish == expected.finish)
            }
        }

        /// What happens to some process once every answer has begun.
        private static func answers(
            _ pools: Pools,
            _ requests: [QueryRequest],
            whenAllHaveBegun act: @escaping @Sendable () -> Void
        ) async throws -> [Answer] {
            let begun = Mutex<Set<Int>>([])
            return try await Failover.answers(pools.cluster.endpoints, requests) { query, tokens in
                let isTime = begun.withLock { begun in
                    tokens >= 5 && begun.insert(query).inserted && begun.count == requests.count
                }
                if isTime { act() }
            }
        }

        @Test func `Prompts here and decodes there give the tokens that one worker gives`() async throws {
            let requests = Self.requests(12)
            let single = try await Service.up()
            let expected = try await Failover.answers(single.endpoints, requests)
            single.process.kill(SIGINT)

            let pools = try await Self.pools()
            let answers = try await Failover.answers(pools.cluster.endpoints, requests)
            Self.expectWhole(answers, expected)
            let status = try await pools.cluster.endpoints.status("all done and both wishes") {
                $0.model?.completed == 12 && $0.fleets.count == 2
            }
            let moved = expected.count { $0.count > 1 }
            #expect(moved >= 10)
            #expect(status.model?.handovers == UInt64(moved) && status.model?.failedHandovers == 0)
            #expect(status.model?.retried == 0)
            let workers = Dictionary(uniqueKeysWithValues: status.workers.map { ($0.name, $0) })
            #expect(workers["p0"]?.role == .prefill && workers["p0"]?.outputTokens == 12)
            #expect(workers["d0"]?.role == .decode && workers["d0"]?.queriesCompleted == UInt64(moved))
            #expect(Set(status.fleets.map(\.role)) == [.prefill, .decode])
            // Whoever takes a cache removes it.
            #expect(pools.caches.isEmpty)

            let explanation = try await AdminClient(endpoint: pools.cluster.endpoints.admin, logger: .silent)
                .explain(try #require(QueryID(answers[0].id)), patience: .seconds(60))
            #expect(explanation.attempts.map(\.phase) == [.prefill, .decode])
            #expect(explanation.attempts.map(\.workerName) == ["p0", "d0"])
        }

        @Test(arguments: [true, false])
        func `A worker of either kind that is killed in mid-stream loses nothing`(isPrefill: Bool) async throws {
            let requests = Self.requests(8, maxTokens: 400).map { request in
                var request = request
                request.maxTokens = 400
                return request
            }
            let pools = try await Self.pools(prefills: 2, decodes: 2, policy: "round-robin")
            let expected = try await Failover.answers(pools.cluster.endpoints, requests)
            let victim = isPrefill ? pools.prefills[0] : pools.decodes[0]
            let answers = try await Self.answers(pools, requests) { victim.kill(SIGKILL) }
            Self.expectWhole(answers, expected)
            let status = try await pools.cluster.endpoints.status("what is left") {
                $0.workers.count == 3 && $0.model?.running == 0
            }
            #expect(status.model?.completed == 16 && status.model?.failed == 0)
            if !isPrefill { #expect((status.model?.retried ?? 0) > 0) }
            // And it goes on with what is left, and with nothing of one kind left at all.
            (isPrefill ? pools.prefills[1] : pools.decodes[1]).kill(SIGKILL)
            try await pools.cluster.endpoints.status("one kind alone") { $0.workers.count == 2 }
            Self.expectWhole(try await Failover.answers(pools.cluster.endpoints, requests), expected)
        }

        @Test func `A prefill worker that is killed with prompts under way loses none of them`() async throws {
            let files = try TemporaryDirectory()
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 40)]
            let pools = try await Self.pools(prefills: 2, decodes: 1, engine: engine)
            let requests = (0..<24).map { QueryRequest.chat("Number \($0)", maxTokens: 12, seed: UInt64($0)) }
            let expected = try await Failover.answers(pools.cluster.endpoints, requests)
            let victim = pools.prefills[0]
            let isKilled = Mutex(false)
            let answers = try await Failover.answers(pools.cluster.endpoints, requests) { _, _ in
                // The first token of any: the others are about to be computed, left or taken.
                let isTime = isKilled.withLock { isKilled in
                    defer { isKilled = true }
                    return !isKilled
                }
                if isTime { victim.kill(SIGKILL) }
            }
            Self.expectWhole(answers, expected)
            try await pools.cluster.endpoints.status("two workers") { $0.workers.count == 2 && $0.model?.failed == 0 }
        }

        @Test(arguments: [true, false])
        func `A worker of either kind that hangs in mid-stream loses nothing`(isPrefill: Bool) async throws {
            let files = try TemporaryDirectory()
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 4)]
            let pools = try await Self.pools(prefills: 2, decodes: 2, engine: engine, policy: "round-robin")
            let requests = (0..<8).map { QueryRequest.chat("Number \($0)", maxTokens: 500, seed: UInt64($0)) }
            let expected = try await Failover.answers(pools.cluster.endpoints, requests)
            let victim = isPrefill ? pools.prefills[0] : pools.decodes[0]
            let answers = try await Self.answers(pools, requests) { victim.kill(SIGSTOP) }
            Self.expectWhole(answers, expected)
            try await pools.cluster.endpoints.status("three workers") { $0.workers.count == 3 }
            // What it finds of its own when it is back goes nowhere.
            victim.kill(SIGCONT)
            let status = try await pools.cluster.endpoints.status("all again") { $0.workers.count == 4 }
            #expect(status.model?.completed == 16 && status.model?.failed == 0)
        }

        @Test func `A KV cache that is gone costs a prefill and nothing else`() async throws {
            let pools = try await Self.pools()
            let requests = Self.requests(6, maxTokens: 30).filter { $0.maxTokens > 1 }
            let expected = try await Failover.answers(pools.cluster.endpoints, requests)
            // With the decode worker asleep the caches stay where they were left.
            pools.decodes[0].kill(SIGSTOP)
            let answers = Task { try await Failover.answers(pools.cluster.endpoints, requests) }
            _ = try await eventually("the caches to be left") {
                pools.caches.filter { $0.hasSuffix(".kv") }
            } until: {
                $0.count == requests.count
            }
            for name in pools.caches { try FileManager.default.removeItem(atPath: pools.exchange + "/" + name) }
            pools.decodes[0].kill(SIGCONT)
            Self.expectWhole(try await answers.value, expected)
            let status = try await pools.cluster.endpoints.status("all done") {
                $0.model?.completed == UInt64(2 * requests.count)
            }
            #expect(status.model?.failedHandovers == UInt64(requests.count))
            #expect(status.model?.failed == 0)
        }

        @Test func `A cancelled query leaves no KV cache behind`() async throws {
            let pools = try await Self.pools()
            pools.decodes[0].kill(SIGSTOP)
            try await pools.cluster.endpoints.withClient { client in
                try await within("the first token") {
                    for try await event in client.generate(Self.requests(1, maxTokens: 30)[0]) {
                        // Leaving the loop cancels it.
                        if case .tokens = event { break }
                    }
                }
            }
            _ = try await eventually("nothing to be left") {
                try await pools.cluster.endpoints.status().model?.cancelled == 1 && pools.caches.isEmpty
            } until: {
                $0
            }
            pools.decodes[0].kill(SIGCONT)
        }

        @Test func `Emulated workers hand over as well, which takes as long as the profile says`() async throws {
            let files = try TemporaryDirectory()
            var text = try String(contentsOfFile: files.profile(stepMilliseconds: 2), encoding: .utf8)
            // A hundred tokens are 25 GB: a second on the way.
            text = text.replacing("\"block_tokens\": 16", with: "\"block_tokens\": 16, \"bytes_per_token\": 250000000")
            let engine = ["--engine", "emulated", "--profile", try files.write(text, to: "heavy.json")]
            let pools = try await Self.pools(engine: engine)
            let prompt = QueryRequest(input: .tokens([Int32](repeating: 1, count: 100)), maxTokens: 5)
            let answer = try #require(try await Failover.answers(pools.cluster.endpoints, [prompt]).first)
            #expect(answer.count == 5 && answer.failure == nil)
            let explanation = try await AdminClient(endpoint: pools.cluster.endpoints.admin, logger: .silent)
                .explain(try #require(QueryID(answer.id)), patience: .seconds(60))
            let attempt = try #require(explanation.attempts.first)
            let transfer = try #require(attempt.handedOver) - (try #require(attempt.dispatched))
            // Not a wall-clock bound from above: it can't be less than what was asked for.
            #expect(transfer >= .milliseconds(1002))
        }

        @Test func `One process can have both kinds`() async throws {
            let files = try TemporaryDirectory()
            let flags = ["--prefill-workers", "1", "--kv-exchange", files.path("exchange")]
            let process = ServiceProcess(
                ["up", "--http", "127.0.0.1:0", "--workers", "1"] + Endpoints().flags + flags
            )
            _ = try await process.line("aladdin is ready on http", in: \.output)
            let endpoints = try await Endpoints(of: process)
            let status = try await endpoints.status("both") { $0.workers.count == 2 }
            #expect(Set(status.workers.map(\.role)) == [.prefill, .decode])
            let answers = try await Failover.answers(endpoints, Self.requests(4))
            #expect(answers.allSatisfy { $0.failure == nil })
            try await endpoints.status("handovers") { ($0.model?.handovers ?? 0) >= 3 }
            process.kill(SIGINT)
            #expect(try await process.exitCode() == 0, "\(process.transcript)")
        }

        @Test(arguments: [
            (["worker", "--role", "sideways"], "--role is 'sideways'; it must be one of: prefill, decode, both"),
            (
                ["worker", "--role", "prefill", "--kv-exchange", "/nowhere/at/all"],
                "--kv-exchange: /nowhere/at/all can't be made"
            ),
            (
                ["worker", "--role", "prefill", "--engine", "upstream", "--upstream", "http://127.0.0.1:1"],
                "upstream can't hand KV caches over"
            ),
            (["up", "--prefill-workers", "1", "--autoscale"], "--prefill-workers can't be used with --autoscale"),
            (["worker", "--kv-exchange-mib", "0"], "--kv-exchange-mib is '0'; it must be a whole number"),
        ])
        func `What can't be is said in words`(arguments: [String], words: String) async throws {
            let process = ServiceProcess(arguments)
            _ = try await process.line(words, in: \.errors)
            #expect(try await process.exitCode() != 0)
        }
    }
}
