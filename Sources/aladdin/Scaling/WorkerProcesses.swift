internal import AccessControl
internal import Foundation
internal import Logging
internal import ZeroMQ

/// How `aladdin worker` is started as a process of its own, with the engine that `aladdin up` was given.
struct WorkerProcesses: Sendable {
    /// Options that choose the engine.
    let engine: [String]
    /// Where the broker expects workers.
    let endpoint: String
    /// Nil where nobody asks for keys.
    let keyFile: String?
    let logLevel: Logger.Level

    /// Workers that are sent away may take an hour to finish what they have; a shutdown of everything doesn't wait.
    private static let drainSeconds = 3600

    /// This very program.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    func arguments(named name: String) -> [String] {
        [
            "worker", "--name", name, "--worker-endpoint", endpoint, "--drain-s", "\(Self.drainSeconds)",
            "--end-with-input",
        ]
            + ["--log-level", logLevel.rawValue] + (keyFile.map { ["--key", $0] } ?? []) + engine
    }

    /// Writes keys that only live as long as this process to a file that only its user can read.
    ///
    /// - Throws: `AccessError` if that is not possible.
    static func writeKeyFile(_ keys: PeerKeys) throws -> String {
        removeKeyFile()
        let file = SecretKeyFile(name: "worker", role: .worker, keys: keys.own, server: keys.server)
        try ProtectedFile.create(keyPath, file.text, mode: 0o600)
        return keyPath
    }

    static func removeKeyFile() {
        try? FileManager.default.removeItem(atPath: keyPath)
    }

    private static var keyPath: String {
        let name = "aladdin-worker-\(ProcessInfo.processInfo.processIdentifier).key"
        return FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    }
}
