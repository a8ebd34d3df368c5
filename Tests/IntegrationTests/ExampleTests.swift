internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    /// The programs in docs/examples, run as their README says.
    @Suite struct Examples {
        private static let folder = Executable.repository.appendingPathComponent("docs/examples").path

        static func compile(_ name: String, in files: TemporaryDirectory) async throws -> String {
            let messages = Executable.repository.appendingPathComponent("Sources/CAladdinMessages").path
            let sources = try FileManager.default.contentsOfDirectory(atPath: "\(messages)/aladdin/v1")
                .filter { $0.hasSuffix(".c") }.sorted().map { "\(messages)/aladdin/v1/\($0)" }
            let arguments = [
                "-O1", "-Wall", "-Werror", "-I\(messages)/include", "-o", files.path(name), "\(folder)/\(name).c",
            ]
            let run = try await Run.command("/usr/bin/cc", arguments + sources + ["-lzmq", "-lprotobuf-c"])
            try #require(run.code == 0, "\(run.errors)")
            return files.path(name)
        }

        @Test func `The Python client and worker of the documentation do what they say`() async throws {
            let files = try TemporaryDirectory()
            let python = try await Python.interpreter()
            let environment = ["PYTHONPATH": try await Python.messages(in: files), "PYTHONUNBUFFERED": "1"]
            let service = try await Service.up()
            func ask(_ text: String, _ flags: String...) async throws -> Run {
                let arguments = ["\(Self.folder)/client.py", text, "--endpoint", service.endpoints.frontend]
                return try await Run.command(python, arguments + flags, environment: environment)
            }
            let question = "Tell me a story about a lamp."
            // Of several brokers the first does not answer.
            let both = "ipc://\(files.path("nobody")),\(service.endpoints.frontend)"
            let answer = try await ask(question, "--max-tokens", "24", "--endpoint", both)
            #expect(answer.code == 0, "\(answer.errors)")
            let own = try await Run.aladdin(["query", "--max-tokens", "24", question] + service.endpoints.flags)
            #expect(answer.output.trimmingCharacters(in: .newlines) == own.output.trimmingCharacters(in: .newlines))
            let refused = try await ask(question, "--model", "nobody")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("REASON_UNKNOWN_MODEL"), "\(refused.errors)")

            let parrot = ServiceProcess(
                executable: python,
                ["\(Self.folder)/worker.py", "ipc://\(files.path("nobody")),\(service.endpoints.worker)", "parrot"],
                environment: environment
            )
            try await service.endpoints.status("the parrot") { $0.workers.count == 3 }
            let squawks = try await ask("Pieces of eight", "--model", "parrot")
            #expect(squawks.code == 0, "\(squawks.errors)")
            #expect(squawks.output.contains("Pieces of eight"), "\(squawks.output)")
            let http = try await HTTP.post(
                "\(service.url)/v1/chat/completions",
                HTTP.chat("Polly wants a cracker", #""model": "parrot""#)
            )
            #expect(http.status == 200 && http.body.contains("Polly wants a cracker"), "\(http.body)")
            parrot.kill(SIGINT)
            #expect(try await parrot.exitCode() == 0, "\(parrot.transcript)")
            try await service.endpoints.status("the parrot gone") { $0.workers.count == 2 }
        }

        @Test func `The C client and worker of the documentation do what they say`() async throws {
            let files = try TemporaryDirectory()
            let client = try await Self.compile("client", in: files)
            let worker = try await Self.compile("worker", in: files)
            let service = try await Service.up()
            let answer = try await Run.command(client, ["Tell me a story about a lamp.", service.endpoints.frontend])
            #expect(answer.code == 0, "\(answer.errors)")
            #expect(answer.output.split(separator: " ").count > 5, "\(answer.output)")
            let refused = try await Run.command(client, ["Hello", service.endpoints.frontend, "nobody"])
            #expect(refused.code == 1)

            let abacus = ServiceProcess(
                executable: worker,
                ["ipc://\(files.path("nobody")),\(service.endpoints.worker)", "abacus"]
            )
            try await service.endpoints.status("the abacus") { $0.workers.count == 3 }
            let both = "ipc://\(files.path("nobody")),\(service.endpoints.frontend)"
            let counted = try await Run.command(client, ["Count.", both, "abacus"])
            #expect(counted.code == 0, "\(counted.errors)")
            #expect(counted.output.contains("1 2 3 4 5"), "\(counted.output)")
            abacus.kill(SIGINT)
            #expect(try await abacus.exitCode() == 0, "\(abacus.transcript)")
            try await service.endpoints.status("the abacus gone") { $0.workers.count == 2 }
        }
    }
}
