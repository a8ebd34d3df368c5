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
    }
}
