internal import Foundation
internal import Testing

/// Python with the packages that clients of ours use, and the protocol's messages.
enum Python {
    /// The interpreter of `.build/python`, which the first caller makes.
    static func interpreter() async throws -> String {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "python-environment"
        )
        let run = try await Run.command("/bin/bash", [script.path])
        try #require(run.code == 0, "python-environment ended with \(run.code): \(run.errors)")
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Generates the messages' modules into `directory`, as docs/examples/README.md says; returns `PYTHONPATH`.
    static func messages(in directory: TemporaryDirectory) async throws -> String {
        let protos = Executable.repository.appendingPathComponent("Protos").path
        let folder = "\(protos)/aladdin/v1"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".proto") }
            .sorted()
        let arguments = ["protoc", "-I", protos, "--python_out", directory.url.path]
        let run = try await Run.command("/usr/bin/env", arguments + files.map { "\(folder)/\($0)" })
        try #require(run.code == 0, "protoc: \(run.errors)")
        return directory.url.path
    }
}
