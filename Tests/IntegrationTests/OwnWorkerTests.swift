internal import Foundation
internal import Testing

extension IntegrationTests {
    /// Workers that users write, at a broker that lets nobody in without a key.
    @Suite struct OwnWorkers {
        private static let folder = Executable.repository.appendingPathComponent("docs/examples").path

        @Test func `A Swift engine of one file is a worker, with a key, and leaves in good order`() async throws {
            let program = URL(fileURLWithPath: Executable.path).deletingLastPathComponent()
                .appendingPathComponent("SwiftWorker").path
            let keys = try await Keys()
            let (alice, own) = (try await keys.make("alice", "frontend"), try await keys.make("w1", "worker"))
            let service = try await SecuredService.up(keys, "--workers", "1")
            let worker = ServiceProcess(executable: program, [service.endpoints.worker, own])
            try await service.process.line("model=backwards")

            let answer = try await service.query("Pieces of eight", "--model", "backwards", "--key", alice)
            #expect(answer.code == 0, "\(answer.errors)")
            #expect(answer.output.trimmingCharacters(in: .whitespacesAndNewlines) == "eight of Pieces")
            let cut = try await service.query(
                "one two three four",
                "--model",
                "backwards",
                "--max-tokens",
                "2",
                "--key",
                alice
            )
            #expect(cut.output.trimmingCharacters(in: .whitespacesAndNewlines) == "four three", "\(cut.errors)")
            let empty = try await service.query(" ", "--model", "backwards", "--key", alice)
            #expect(empty.code == 2 && empty.errors.contains("the prompt is empty"), "\(empty.errors)")

            worker.kill(SIGINT)
            #expect(try await worker.exitCode() == 0, "\(worker.transcript)")
            let stranger = try await Run.command(program, [service.endpoints.worker, alice])
            #expect(stranger.code == 1 && stranger.errors.contains("role frontend"), "\(stranger.errors)")
        }

        @Test func `Workers in Python and C serve with keys, and the scheduler learns their speed`() async throws {
            let keys = try await Keys()
            let (alice, own) = (try await keys.make("alice", "frontend"), try await keys.make("w1", "worker"))
            let overseer = try await keys.make("operator", "admin")
            let service = try await SecuredService.up(keys, "--workers", "1")
            let python = try await Python.interpreter()
            let messages = try await Python.messages(in: keys.files)
            let workers = [
                ServiceProcess(
                    executable: python,
                    ["\(Self.folder)/worker.py", service.endpoints.worker, "parrot", own],
                    environment: ["PYTHONPATH": messages, "PYTHONUNBUFFERED": "1"]
                ),
                ServiceProcess(
                    executable: try await Examples.compile("worker", in: keys.files),
                    [service.endpoints.worker, "abacus", own]
                ),
            ]
            for model in ["parrot", "abacus"] {
                try await service.process.line("model=\(model)")
                let answer = try await service.query("Pieces of eight", "--model", model, "--key", alice)
                let text = answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
                #expect(model == "parrot" ? text == "Pieces of eight" : text.hasPrefix("1 2 3 4 5"), "\(answer.errors)")
            }
            let client = try await Examples.compile("client", in: keys.files)
            let counted = try await Run.command(client, ["Count.", service.endpoints.frontend, "abacus", alice])
            #expect(counted.code == 0 && counted.output.contains("1 2 3 4 5"), "\(counted.errors)")

            for worker in ["parrot", "abacus"] {
                let flags = [
                    "--worker", worker, "--out", keys.files.path("\(worker).json"), "--key", overseer, "--json",
                ]
                let steps = try await eventually("the scheduler to have learnt of \(worker)") {
                    let run = try await Run.aladdin(["calibrate", "--learnt"] + flags + service.endpoints.flags)
                    return run.code == 0 ? try run.json()["steps"] as? Int ?? 0 : 0
                } until: {
                    $0 > 2
                }
                #expect(steps > 2)
            }
            for worker in workers {
                worker.kill(SIGINT)
                #expect(try await worker.exitCode() == 0, "\(worker.transcript)")
            }
        }
    }
}
