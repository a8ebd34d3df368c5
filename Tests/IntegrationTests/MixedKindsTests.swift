internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// One service, four kinds of workers: the CPU engine, a plug-in, a Python program, and llama.cpp's server.
    @Suite struct MixedKinds {
        private static let queries = 500

        private struct Expected: Sendable {
            var request: QueryRequest
            var text: String
        }

        @Test func `Four kinds of workers serve a mixed stream for three models, every answer the right one`()
            async throws
        {
            let files = try TemporaryDirectory()
            let plugin = try await Plugins.library("Tests/PluginEngineTests/Plugins/parrot.c", in: files)
            let service = try await Service.up(workers: 1)
            let model = try #require(try await service.endpoints.status().model?.model)
            let llama = LlamaServer.isInstalled ? try await LlamaServer.start(slots: 1) : nil
            var workers = [
                ServiceProcess(
                    // As fast as the Python worker, so that both are needed.
                    ["worker", "--name", "plugin", "--engine", "plugin:\(plugin)", "--plugin-option", "step-ms=50"]
                        + service.endpoints.flags
                ),
                ServiceProcess(
                    executable: try await Python.interpreter(),
                    [Executable.repository.appendingPathComponent("docs/examples/worker.py").path]
                        + [service.endpoints.worker],
                    environment: ["PYTHONPATH": try await Python.messages(in: files), "PYTHONUNBUFFERED": "1"]
                ),
            ]
            if let llama {
                let flags = ["--engine", "upstream", "--upstream", llama.url]
                workers.append(ServiceProcess(["worker", "--name", "llama"] + flags + service.endpoints.flags))
            }
            let count = llama == nil ? 3 : 4
            try await service.endpoints.status("all workers") { $0.workers.count == count && !$0.policy.isEmpty }

            let expected = try await Self.expected(at: service, storyteller: model, tiny: llama != nil)
            try await service.endpoints.withClient { client in
                try await within("\(expected.count) answers", limit: .seconds(300)) {
                    try await Self.ask(expected, of: client)
                }
            }
            let status = try await service.endpoints.status()
            #expect(status.models.count == (llama == nil ? 2 : 3))
            for worker in status.workers {
                #expect(worker.queriesCompleted > 20, "\(worker.name)")
                #expect(worker.steps > 20 && worker.stepError < 10, "\(worker.name) \(worker.stepError)")
                #expect(worker.predictions.timeToFirstToken.count > 0, "\(worker.name)")
            }
            _ = workers
        }

        /// All of them, two dozen at a time.
        private static func ask(_ queries: [Expected], of client: AladdinClient) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, query) in queries.enumerated() {
                    if number >= 24 { try await group.next() }
                    group.addTask {
                        let answer = try await Answer.of(client, query.request)
                        #expect(answer.failure == nil && answer.gaps == 0 && answer.repeats == 0)
                        #expect(answer.text == query.text, "\(query.request.model)")
                    }
                }
                try await group.waitForAll()
            }
        }

        /// The queries in the order they are sent, and what each must be answered.
        private static func expected(at service: Service, storyteller: String, tiny: Bool) async throws -> [Expected] {
            let greedy = Sampling(temperature: 0)
            let names = tiny ? [storyteller, "tiny"] : [storyteller]
            // Alone and one after the other first; among others the answers must be the same.
            let known = try await service.endpoints.withClient { client in
                var known: [Expected] = []
                for name in names {
                    for number in 1...4 {
                        let input = PromptInput.text("Once upon a time there were \(number) lamps")
                        let request = QueryRequest(model: name, input: input, maxTokens: 6 * number, sampling: greedy)
                        let answer = try await within("an answer of \(name)") { try await Answer.of(client, request) }
                        try #require(answer.failure == nil)
                        known.append(Expected(request: request, text: answer.text))
                    }
                }
                return known
            }
            return (0..<Self.queries).map { number in
                guard number % 3 < 2 else {
                    let words = (0...number % 7).map { "word\(number + $0)" }.joined(separator: " ")
                    return Expected(request: .chat(words, model: "parrot"), text: words)
                }
                return known[number / 3 * 2 % known.count + number % 3]
            }
        }
    }
}
