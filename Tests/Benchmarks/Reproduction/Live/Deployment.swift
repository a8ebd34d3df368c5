internal import Batching
internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

/// A fleet and a load that the running service and the simulator are both given.
struct Deployment: Sendable {
    let data: DataFolder
    /// Names of profiles in Tests/Data, one for each worker.
    var workers: [String]
    var mode: BatchingMode
    var trace: String
    /// Queries per second.
    var rate: Double
    var seconds: Double
    var objective: ServiceLevelObjective

    struct Figures: Codable, Sendable {
        var attainment: Double
        /// Milliseconds.
        var firstTokenP50: Double
        var firstTokenP99: Double
        var tokenTimeP50: Double
        var tokenTimeP99: Double
        var queries: Int
    }

    /// Runs a process for each role and worker, drives them with `aladdin bench`, and returns what that measured.
    func live(_ policy: String) throws -> Figures {
        let processes = try ServiceProcesses(root: data.root)
        defer { processes.removeFolder() }
        var services: [Process] = []
        defer { processes.stop(services) }
        func start(_ arguments: [String]) throws {
            services.append(try processes.start(arguments + processes.endpoints))
        }
        // As the simulation that it is compared with.
        try start(["broker", "--admission", "off"])
        try start(["scheduler", "--policy", policy])
        for (index, profile) in workers.enumerated() {
            try start(
                ["worker", "--name", "worker-\(index)", "--engine", "emulated", "--batching", mode.rawValue]
                    + ["--profile", "Tests/Data/profiles/\(profile).json"]
            )
        }
        try processes.waitForWorkers(workers.count)
        let report = try processes.bench(
            [
                "--trace", "Tests/Data/traces/\(trace)", "--rate", "\(rate)", "--duration-s", "\(seconds)",
                "--slo-ttft-ms", "\(objective.timeToFirstToken.seconds * 1000)",
                "--slo-atgt-ms", "\(objective.averageTokenTime.seconds * 1000)",
            ]
        )
        return Figures(
            attainment: report.attainment,
            firstTokenP50: report.ttftMs.p50,
            firstTokenP99: report.ttftMs.p99,
            tokenTimeP50: report.atgtMs.p50,
            tokenTimeP99: report.atgtMs.p99,
            queries: report.sent
        )
    }

    /// What `aladdin bench` sends, on simulated workers.
    func simulated(_ policy: String) throws -> Figures {
        let read = try data.trace(trace)
        let sent = read.scaled(rateBy: rate / read.rate).lasting(.seconds(rounding: seconds))
        let queries = sent.entries.map {
            SimulatedQuery(
                arrival: .zero + $0.arrival,
                inputTokens: $0.inputTokens,
                outputTokens: $0.outputTokens,
                objective: objective
            )
        }
        let workload = StudyWorkload(
            seed: 1,
            queries: queries,
            lengths: LengthHistory(),
            seconds: seconds,
            warmUpSeconds: 0
        )
        var configuration = ClusterSimulation.Configuration(mode: mode)
        // The bench sends each answer's length as a hint.
        configuration.tellsLengths = true
        let run = ClusterRun(
            profiles: try workers.map { try data.profile($0) },
            policy: policy,
            configuration: configuration
        )
        let figures = RunFigures([try run.run(workload)], workers: workers.count)
        return Figures(
            attainment: figures.attainment,
            firstTokenP50: figures.firstToken.p50 * 1000,
            firstTokenP99: figures.firstToken.p99 * 1000,
            tokenTimeP50: figures.tokenTime.p50 * 1000,
            tokenTimeP99: figures.tokenTime.p99 * 1000,
            queries: queries.count
        )
    }
}

extension Deployment.Figures {
    static let header = ["", "queries", "attainment", "TTFT p50, ms", "p99, ms", "ATGT p50, ms", "p99, ms"]

    /// A row of a table under `header`.
    func row(_ title: String) -> [Cell] {
        [
            Cell(title), .count(queries), .share(attainment), .number(firstTokenP50), .number(firstTokenP99),
            .number(tokenTimeP50), .number(tokenTimeP99),
        ]
    }
}
