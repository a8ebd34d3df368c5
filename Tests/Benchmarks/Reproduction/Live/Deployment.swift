internal import Foundation

/// The service as processes of the built product, on sockets of its own.
struct Deployment: Sendable {
    let root: String
    let profile: String
    let policy: String

    /// How long the workers may take to register, in seconds.
    private static let patience = 60.0

    /// Starts the service, drives it with `aladdin bench`, stops it, and returns what the bench measured.
    func bench(_ arguments: [String]) throws -> LiveService.Figures {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("aladdin-reproduction-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func socket(_ role: String) -> String { "ipc://\(folder.path)/\(role)" }
        let all = [
            "--frontend-endpoint", socket("frontend"), "--worker-endpoint", socket("worker"),
            "--scheduler-endpoint", socket("scheduler"), "--admin-endpoint", socket("admin"),
        ]
        var services: [Process] = []
        defer {
            for service in services.reversed() { service.terminate() }
            for service in services { service.waitUntilExit() }
        }
        // As the simulation that it is compared with.
        services.append(try start(["broker", "--admission", "off"] + all))
        services.append(try start(["scheduler", "--policy", policy] + all))
        for index in 0..<LiveService.workers {
            services.append(
                try start(
                    ["worker", "--name", "worker-\(index)", "--engine", "emulated", "--batching", "prefill-priority"]
                        + ["--profile", "Tests/Data/profiles/\(profile).json"] + all
                )
            )
        }
        try waitForWorkers(["status", "--json", "--admin-endpoint", socket("admin")])
        let output = try output(of: ["bench", "--json", "--frontend-endpoint", socket("frontend")] + arguments)
        return try Self.figures(output)
    }

    private func process(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: root).appendingPathComponent(".build/release/aladdin")
        process.currentDirectoryURL = URL(fileURLWithPath: root)
        process.arguments = arguments
        return process
    }

    private func start(_ arguments: [String]) throws -> Process {
        let process = process(arguments + ["--log-level", "error"])
        do {
            try process.run()
        } catch {
            throw UsageError(message: ".build/release/aladdin can't be started (\(error)): run 'make build' first")
        }
        return process
    }

    private func output(of arguments: [String]) throws -> Data {
        let process = process(arguments)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return output
    }

    private func waitForWorkers(_ status: [String]) throws {
        let deadline = Date().addingTimeInterval(Self.patience)
        var seen = 0
        while Date() < deadline {
            let answer = try? JSONSerialization.jsonObject(with: output(of: status)) as? [String: Any]
            seen = (answer?["workers"] as? [Any])?.count ?? 0
            if seen >= LiveService.workers { return }
            Thread.sleep(forTimeInterval: 0.5)
        }
        throw UsageError(message: "only \(seen) of \(LiveService.workers) workers registered in \(Self.patience) s")
    }

    private static func figures(_ output: Data) throws -> LiveService.Figures {
        struct Report: Decodable {
            struct Times: Decodable {
                var p50: Double
                var p99: Double
            }
            var sent: Int
            var attainment: Double
            var ttftMs: Times
            var atgtMs: Times
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let report = try? decoder.decode(Report.self, from: output) else {
            let text = String(decoding: output.prefix(200), as: UTF8.self)
            throw UsageError(message: "aladdin bench gave no report but '\(text)'")
        }
        return LiveService.Figures(
            attainment: report.attainment,
            firstTokenP50: report.ttftMs.p50,
            firstTokenP99: report.ttftMs.p99,
            tokenTimeP50: report.atgtMs.p50,
            tokenTimeP99: report.atgtMs.p99,
            queries: report.sent
        )
    }
}
