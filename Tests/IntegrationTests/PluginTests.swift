internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// Engines in shared libraries: what they do is their worker's business, and what they do wrong, too.
    @Suite struct Plugins {
        static func library(_ source: String, in files: TemporaryDirectory) async throws -> String {
            let path = files.path("engine.so")
            let run = try await Run.command(
                "/usr/bin/cc",
                [
                    "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", path,
                    "-I", Executable.repository.appendingPathComponent("Sources/CEngine/include").path,
                    Executable.repository.appendingPathComponent(source).path,
                ]
            )
            try #require(run.code == 0, "\(run.errors)")
            return path
        }

        private static let broken = "Tests/PluginEngineTests/Plugins/broken.c"

        private static func worker(
            _ cluster: Cluster,
            _ name: String,
            _ library: String,
            _ options: String...
        )
            -> ServiceProcess
        {
            let flags = ["worker", "--name", name, "--engine", "plugin:\(library)", "--drain-s", "0"]
            return ServiceProcess(flags + options.flatMap { ["--plugin-option", $0] } + cluster.endpoints.flags)
        }

        @Test
        func `The example serves in a process of its own, which comes back when killed and goes with its service`()
            async throws
        {
            let files = try TemporaryDirectory()
            let library = try await Self.library("docs/examples/engine.c", in: files)
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend")
            let engine = "plugin:\(library)"
            let service = try await SecuredService.up(
                keys,
                "--workers",
                "1",
                "--engine",
                engine,
                "--plugin-option",
                "last=8"
            )
            let answer = try await service.query("four", "--key", alice)
            #expect(answer.output.trimmingCharacters(in: .newlines) == "4 5 6 7 8", "\(answer.errors)")

            let worker = try await Self.children(of: service.process.id)
            try #require(worker.count == 1)
            let said = service.process.errors.lines.count
            kill(worker[0], SIGKILL)
            try await service.process.line("worker crashed; it is started anew", from: said)
            try await service.process.line("worker joined", from: said)
            let again = try await service.query("seven", "--key", alice)
            #expect(again.output.trimmingCharacters(in: .newlines) == "5 6 7 8", "\(again.errors)")

            let heir = try await Self.children(of: service.process.id)
            try #require(heir.count == 1 && heir != worker)
            service.process.kill(SIGKILL)
            _ = try await eventually("the worker to follow its service") {
                kill(heir[0], 0) == 0
            } until: {
                !$0
            }
        }

        @Test func `A plug-in that does not open ends its service with its words`() async throws {
            let files = try TemporaryDirectory()
            let library = try await Self.library("docs/examples/engine.c", in: files)
            let flags = ["--engine", "plugin:\(library)", "--plugin-option", "first=8"]
            let worker = try await Run.aladdin(["worker"] + flags)
            #expect(worker.code == 2 && worker.errors.contains("there is no option first; there is: last"))
            let up = try await Run.aladdin(
                ["up", "--http", "127.0.0.1:0", "--workers", "1", "--journal", "none"] + Endpoints().flags + flags
            )
            #expect(up.code == 1 && up.errors.contains("there is no option first; there is: last"), "\(up.errors)")
            let missing = try await Run.aladdin("worker", "--engine", "plugin:/nowhere.so")
            #expect(missing.code == 2 && missing.errors.contains("there is no file /nowhere.so"), "\(missing.errors)")
            let option = try await Run.aladdin(
                "worker",
                "--engine",
                "plugin:\(library)",
                "--plugin-option",
                "last"
            )
            #expect(option.code == 2 && option.errors.contains("it must be KEY=VALUE"), "\(option.errors)")
        }

        @Test(arguments: ["segfault", "abort", "hang", "twice", "bad-text"])
        func `A plug-in that crashes, hangs or lies costs no query and not the broker`(fault: String) async throws {
            let files = try TemporaryDirectory()
            let library = try await Self.library(Self.broken, in: files)
            // Only what hangs is to be waited for; a slow machine is none of the others.
            let cluster = try await Cluster.start("--engine-timeout-s", fault == "hang" ? "5" : "120")
            let scheduler = cluster.scheduler("--policy", "round-robin")
            let victim = Self.worker(cluster, "victim", library, "fault=\(fault)", "after=40")
            let heir = Self.worker(cluster, "heir", library)
            try await cluster.endpoints.status("both workers") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let requests = (0..<8).map { _ in QueryRequest(input: .text("Once upon a time"), maxTokens: 100) }
            let answers = try await Failover.answers(cluster.endpoints, requests)
            for answer in answers {
                #expect(answer.failure == nil)
                #expect(answer.outputTokens == 100)
                #expect(answer.text == String(repeating: "x", count: 100))
            }
            // What the fault hit was begun anew, elsewhere if its worker was gone.
            #expect(answers.contains { $0.resets > 0 })
            #expect(cluster.broker.isRunning && heir.isRunning)
            switch fault {
            case "segfault": #expect(try await victim.exitCode() == 128 + SIGSEGV)
            case "abort": #expect(try await victim.exitCode() == 128 + SIGABRT)
            case "hang":
                victim.kill(SIGTERM)
                #expect(try await victim.exitCode() == 1)
                try await victim.line("the engine does not come back from its step")
            default: #expect(victim.isRunning)
            }
            _ = scheduler
        }

        @Test func `A query that two plug-ins die of is given up, and others are served`() async throws {
            let files = try TemporaryDirectory()
            let library = try await Self.library(Self.broken, in: files)
            let cluster = try await Cluster.start()
            let workers = ["a", "b", "c"].map { Self.worker(cluster, $0, library) }
            try await cluster.endpoints.status("three workers") { $0.workers.count == 3 }
            let poison = QueryRequest(input: .text("CRASH"), maxTokens: 4)
            let victims = try await Failover.answers(cluster.endpoints, [poison])
            #expect(victims[0].failure?.reason == .poisonous, "\(String(describing: victims[0].failure))")
            let others = try await Failover.answers(
                cluster.endpoints,
                (0..<4).map { _ in QueryRequest(input: .text("Hello"), maxTokens: 4) }
            )
            #expect(others.map(\.text) == ["xxxx", "xxxx", "xxxx", "xxxx"])
            #expect(workers.count { $0.isRunning } == 1)
        }

        /// Processes that a process has started and that live.
        private static func children(of parent: pid_t) async throws -> [pid_t] {
            let path = "/proc/\(parent)/task"
            let threads = try FileManager.default.contentsOfDirectory(atPath: path)
            return threads.flatMap { thread in
                let list = (try? String(contentsOfFile: "\(path)/\(thread)/children", encoding: .utf8)) ?? ""
                return list.split(separator: " ").compactMap { pid_t($0) }
            }
        }
    }
}
