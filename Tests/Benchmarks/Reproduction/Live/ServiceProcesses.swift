internal import Foundation

/// The built product as processes, on sockets of its own in a folder that goes with them.
struct ServiceProcesses: Sendable {
    let root: String
    let folder: URL

    /// - Parameter root: the repository.
    init(root: String) throws {
        self.root = root
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("aladdin-reproduction-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func removeFolder() {
        try? FileManager.default.removeItem(at: folder)
    }

    func socket(_ role: String) -> String { "ipc://\(folder.path)/\(role)" }

    /// The flags that lead a role to all sockets.
    var endpoints: [String] {
        [
            "--frontend-endpoint", socket("frontend"), "--worker-endpoint", socket("worker"),
            "--scheduler-endpoint", socket("scheduler"), "--admin-endpoint", socket("admin"),
        ]
    }

    func start(_ arguments: [String]) throws -> Process {
        let process = process(arguments + ["--log-level", "error"])
        do {
            try process.run()
        } catch {
            throw UsageError(message: ".build/release/aladdin can't be started (\(error)): run 'make build' first")
        }
        return process
    }

    /// Ends them, the latest first.
    func stop(_ services: [Process]) {
        for service in services.reversed() { service.terminate() }
        for service in services { service.waitUntilExit() }
    }

    func output(of arguments: [String]) throws -> Data {
        let process = process(arguments)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return output
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: root).appendingPathComponent(".build/release/aladdin")
        process.currentDirectoryURL = URL(fileURLWithPath: root)
        process.arguments = arguments
        return process
    }

    /// How long the workers may take to register, in seconds.
    private static let patience = 60.0

    func waitForWorkers(_ count: Int) throws {
        let deadline = Date().addingTimeInterval(Self.patience)
        var seen = 0
        while Date() < deadline {
            seen = (try? status()?.workers.count) ?? 0
            if seen >= count { return }
            Thread.sleep(forTimeInterval: 0.5)
        }
        throw UsageError(message: "only \(seen) of \(count) workers registered in \(Self.patience) s")
    }

    struct Status: Decodable {
        struct Worker: Decodable {}
        struct Fleet: Decodable {
            var starting: Int
        }
        var workers: [Worker]
        var fleets: [Fleet]
    }

    /// Nil while the broker does not answer.
    func status() throws -> Status? {
        let output = try output(of: ["status", "--json", "--admin-endpoint", socket("admin")])
        return try? JSONDecoder().decode(Status.self, from: output)
    }

    struct BenchReport: Decodable {
        struct Times: Decodable {
            var p50: Double
            var p99: Double
        }
        var sent: Int
        var completed: Int
        var attainment: Double
        var ttftMs: Times
        var atgtMs: Times
    }

    /// Drives the service with `aladdin bench`.
    func bench(_ arguments: [String]) throws -> BenchReport {
        let output = try output(of: ["bench", "--json", "--frontend-endpoint", socket("frontend")] + arguments)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let report = try? decoder.decode(BenchReport.self, from: output) else {
            let text = String(decoding: output.prefix(200), as: UTF8.self)
            throw UsageError(message: "aladdin bench gave no report but '\(text)'")
        }
        return report
    }
}
