internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    /// llama.cpp's own server as a worker.
    @Suite(.enabled(if: LlamaServer.isInstalled, "no llama-server here; .ci/install-llama-server gets it"))
    struct RealLlamaServer {
        @Test func `Its answers come through whole, counted as it counts them, and what it knows is known`()
            async throws
        {
            let llama = try await LlamaServer.start()
            let service = try await Service.up("--engine", "upstream", "--upstream", llama.url, workers: 1)
            let status = try await service.endpoints.status()
            #expect(status.workers[0].profile.limits.maximumSequences == 2)
            #expect(status.workers[0].profile.kvCache.capacityTokens == 2048)
            #expect(status.model?.model == "tiny" && status.workers[0].engine == "upstream")

            let body = #"{"model": "tiny", "prompt": "once upon a time", "max_tokens": 40, "temperature": 0}"#
            let direct = try await HTTP.post("\(llama.url)/v1/completions", body).json()
            let through = try await HTTP.post("\(service.url)/v1/completions", body).json()
            func choice(_ json: [String: Any]) -> [String: Any]? { (json["choices"] as? [[String: Any]])?.first }
            #expect(choice(through)?["text"] as? String == choice(direct)?["text"] as? String)
            #expect(choice(through)?["finish_reason"] as? String == choice(direct)?["finish_reason"] as? String)
            for count in ["prompt_tokens", "completion_tokens"] {
                let (ours, its) = (through["usage"] as? [String: Any], direct["usage"] as? [String: Any])
                #expect(ours?[count] as? Int == its?[count] as? Int && ours?[count] is Int)
            }

            let requests: [QueryRequest] =
                (0..<6).map { .chat("Number \($0)", maxTokens: 30) } + [
                    QueryRequest(input: .tokens([1, 262, 263]), maxTokens: 7),
                    QueryRequest(input: .text("abc"), maxTokens: 9, sampling: Sampling(temperature: 0.8, seed: 4)),
                ]
            for (answer, request) in zip(try await Failover.answers(service.endpoints, requests), requests) {
                #expect(answer.failure == nil && answer.gaps == 0 && answer.repeats == 0)
                #expect(answer.count == answer.outputTokens && answer.count <= request.maxTokens)
                #expect(answer.finish != nil)
            }
            let long = QueryRequest(input: .text(String(repeating: "a ", count: 1200)), maxTokens: 4)
            let refused = try await Failover.answers(service.endpoints, [long])
            #expect(refused[0].failure?.reason == .promptTooLong)
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0)
        }

        @Test func `A client that leaves stops it`() async throws {
            let llama = try await LlamaServer.start()
            let service = try await Service.up("--engine", "upstream", "--upstream", llama.url, workers: 1)
            let body = #"{"prompt": "once", "max_tokens": 1000, "stream": true, "logit_bias": {}}"#
            let stream = HTTP.open("\(service.url)/v1/completions", body)
            try await stream.line("text_completion", in: \.output)
            stream.kill(SIGKILL)
            let metrics = try await eventually("the slot to be free") {
                try await HTTP.get("\(llama.url)/metrics").body
            } until: {
                $0.contains("llamacpp:requests_processing 0\n")
            }
            #expect(metrics.contains("llamacpp:tokens_predicted_total"))
        }

        @Test func `Killed in mid-stream it loses no query, and started again it serves again`() async throws {
            let first = try await LlamaServer.start()
            let second = try await LlamaServer.start()
            let cluster = try await Cluster.start()
            let flags = ["--engine", "upstream", "--upstream"]
            let roles = [cluster.scheduler("--policy", "round-robin")]
            let workers = [first, second].enumerated().map { number, llama in
                ServiceProcess(["worker", "--name", "w\(number)"] + cluster.endpoints.flags + flags + [llama.url])
            }
            try await cluster.endpoints.status("both workers") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let requests = (0..<6).map { QueryRequest(input: .text("Story \($0)"), maxTokens: 900) }
            let isKilled = Mutex(false)
            let answers = try await Failover.answers(cluster.endpoints, requests) { _, tokens in
                let isTime = isKilled.withLock { isKilled in
                    defer { isKilled = isKilled || tokens >= 20 }
                    return tokens >= 20 && !isKilled
                }
                if isTime { first.process.kill(SIGKILL) }
            }
            for answer in answers {
                #expect(answer.failure == nil && answer.gaps == 0 && answer.repeats == 0)
                #expect(answer.count == answer.outputTokens && answer.workers.last == "w1" || answer.workers == ["w0"])
            }
            #expect(answers.contains { $0.workers.count == 2 && $0.resets == 1 })
            try await cluster.endpoints.status("one worker that serves") { $0.workers.count { !$0.isDraining } == 1 }
            let third = try await LlamaServer.start(port: first.port)
            try await cluster.endpoints.status("both workers again") { $0.workers.count { !$0.isDraining } == 2 }
            _ = (roles, workers, third)
        }
    }
}
