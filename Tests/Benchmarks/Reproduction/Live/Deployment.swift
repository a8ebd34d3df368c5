internal import Foundation

/// The service as a process for each role and worker.
struct Deployment: Sendable {
    let root: String
    let profile: String
    let policy: String

    /// Starts the service, drives it with `aladdin bench`, stops it, and returns what the bench measured.
    func bench(_ arguments: [String]) throws -> LiveService.Figures {
        let processes = try ServiceProcesses(root: root)
        defer { processes.removeFolder() }
        var services: [Process] = []
        defer { processes.stop(services) }
        func start(_ arguments: [String]) throws {
            services.append(try processes.start(arguments + processes.endpoints))
        }
        // As the simulation that it is compared with.
        try start(["broker", "--admission", "off"])
        try start(["scheduler", "--policy", policy])
        for index in 0..<LiveService.workers {
            try start(
                ["worker", "--name", "worker-\(index)", "--engine", "emulated", "--batching", "prefill-priority"]
                    + ["--profile", "Tests/Data/profiles/\(profile).json"]
            )
        }
        try processes.waitForWorkers(LiveService.workers)
        let report = try processes.bench(arguments)
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
