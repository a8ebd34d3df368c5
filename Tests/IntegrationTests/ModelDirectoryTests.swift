internal import Foundation
internal import Testing

extension IntegrationTests {
    /// `--model DIR` with something wrong in the directory.
    @Suite struct ModelDirectories {
        private static let fixture = Executable.repository
            .appendingPathComponent("Tests/ReferenceEngineTests/Fixtures/models/llama-gqa")

        private static func copy(_ files: TemporaryDirectory, _ name: String) throws -> URL {
            let copy = files.url.appendingPathComponent(name)
            try FileManager.default.copyItem(at: fixture, to: copy)
            return copy
        }

        @Test func `A damaged model ends the worker at once with the name of the file at fault`() async throws {
            let files = try TemporaryDirectory()
            let truncated = try copy("truncated") {
                try truncate($0.appendingPathComponent("model.safetensors"), to: 1000)
            }
            let cut = try copy("cut") { directory in
                let weights = directory.appendingPathComponent("model.safetensors")
                try truncate(weights, to: UInt64(try Data(contentsOf: weights).count) - 1)
            }
            let mute = try copy("mute") { try remove($0, "tokenizer.json") }
            let unconfigured = try copy("unconfigured") { try remove($0, "config.json") }
            let garbled = try copy("garbled") { try Data("{".utf8).write(to: $0.appendingPathComponent("config.json")) }
            let weightless = try copy("weightless") { try remove($0, "model.safetensors") }
            let empty = files.url.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            let absent = files.url.appendingPathComponent("absent")

            for (directory, file) in [
                (truncated, "model.safetensors"), (cut, "model.safetensors"), (mute, "tokenizer.json"),
                (unconfigured, "config.json"), (garbled, "config.json"), (weightless, "model.safetensors"),
                (empty, "config.json"), (absent, "absent"),
            ] {
                let worker = try await Run.aladdin(
                    "worker",
                    "--model",
                    directory.path,
                    "--worker-endpoint",
                    "tcp://127.0.0.1:1"
                )
                #expect([1, 2].contains(worker.code), "\(file): \(worker.code)")
                let name = file == "absent" ? directory.path : directory.appendingPathComponent(file).path
                #expect(worker.errors.contains(name), "\(worker.errors)")
                #expect(!worker.errors.contains("Fatal error"), "\(worker.errors)")
                let up = try await Run.aladdin(
                    ["up", "--http", "127.0.0.1:0", "--model", directory.path] + Endpoints().flags
                )
                #expect([1, 2].contains(up.code), "\(file): \(up.code)")
                #expect(up.errors.contains(name), "\(up.errors)")
            }

            func copy(_ name: String, _ damage: (URL) throws -> Void) throws -> URL {
                let copy = try Self.copy(files, name)
                try damage(copy)
                return copy
            }
            func truncate(_ file: URL, to size: UInt64) throws {
                let handle = try FileHandle(forWritingTo: file)
                try handle.truncate(atOffset: size)
                try handle.close()
            }
            func remove(_ directory: URL, _ name: String) throws {
                try FileManager.default.removeItem(at: directory.appendingPathComponent(name))
            }
        }

        @Test func `A whole model in a directory is served under the name it is given`() async throws {
            let files = try TemporaryDirectory()
            let directory = try Self.copy(files, "whole")
            let service = try await Service.up("--model", directory.path, "--model-name", "given")
            let answer = try await Run.aladdin(
                ["query", "--complete", "--json", "--model", "given", "--max-tokens", "4", "a"]
                    + service.endpoints.flags
            )
            #expect(answer.code == 0, "\(answer.errors)")
            #expect(try answer.json()["output_tokens"] as? Int == 4)
        }
    }
}
