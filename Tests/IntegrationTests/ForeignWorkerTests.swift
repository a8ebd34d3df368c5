internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    /// Workers in other languages: what happens to one of them in mid-stream costs no query and no token.
    @Suite struct ForeignWorkers {
        enum Language: CaseIterable {
            case python, c

            /// Starts the example of the documentation.
            func start(_ cluster: Cluster, in files: TemporaryDirectory) async throws -> ServiceProcess {
                let arguments = [cluster.endpoints.worker, "tally"]
                switch self {
                case .python:
                    let script = Executable.repository.appendingPathComponent("docs/examples/worker.py").path
                    return ServiceProcess(
                        executable: try await Python.interpreter(),
                        [script] + arguments,
                        environment: ["PYTHONPATH": try await Python.messages(in: files), "PYTHONUNBUFFERED": "1"]
                    )
                case .c:
                    return ServiceProcess(executable: try await Examples.compile("worker", in: files), arguments)
                }
            }
        }

        @Test(arguments: Language.allCases, [SIGKILL, SIGSTOP])
        func `Killed or stopped in mid-stream, it loses no query to anybody but the other`(
            _ language: Language,
            _ signal: Int32
        ) async throws {
            let cluster = try await Cluster.start()
            let scheduler = cluster.scheduler("--policy", "round-robin")
            let (files, others) = (try TemporaryDirectory(), try TemporaryDirectory())
            let victim = try await language.start(cluster, in: files)
            let heir = try await language.start(cluster, in: others)
            try await cluster.endpoints.status("both workers") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let requests = (0..<6).map { number in
                let words = (0..<120).map { "w\(number)x\($0)" }.joined(separator: " ")
                return QueryRequest.chat(words, model: "tally", maxTokens: 120)
            }
            let expected = try await Failover.answers(cluster.endpoints, requests)
            #expect(expected.allSatisfy { $0.failure == nil && $0.count == 120 })

            let begun = Mutex<Set<Int>>([])
            let answers = try await Failover.answers(cluster.endpoints, requests) { query, tokens in
                let isTime = begun.withLock { begun in
                    tokens >= 3 && begun.insert(query).inserted && begun.count == requests.count
                }
                if isTime { victim.kill(signal) }
            }
            for (answer, expected) in zip(answers, expected) {
                #expect(answer.failure == nil && answer.gaps == 0 && answer.repeats == 0 && answer.resets == 0)
                #expect(answer.text == expected.text)
            }
            #expect(answers.count { $0.workers.count == 2 } == 3)
            try await cluster.endpoints.status("one worker") { $0.workers.count == 1 && $0.model?.completed == 12 }
            if signal == SIGSTOP { victim.kill(SIGCONT) }
            _ = (scheduler, heir)
        }
    }
}
