internal import AladdinClient
internal import Logging
internal import Messages
internal import ServingModel
internal import Testing

/// Where a broker listens, and the questions to ask it there.
struct Endpoints: Sendable {
    var frontend = "tcp://127.0.0.1:*"
    var worker = "tcp://127.0.0.1:*"
    var scheduler = "tcp://127.0.0.1:*"
    var admin = "tcp://127.0.0.1:*"

    init() {}

    /// Reads the broker's log line.
    init(of process: ServiceProcess) async throws {
        let line = try await process.line("broker serves")
        func field(_ name: String) throws -> String {
            let word = line.split(separator: " ").first { $0.hasPrefix("\(name)=") }
            return String(try #require(word, "\(name) is missing: \(line)").dropFirst(name.count + 1))
        }
        frontend = try field("frontends")
        worker = try field("workers")
        scheduler = try field("schedulers")
        admin = try field("admin")
    }

    var flags: [String] {
        [
            "--frontend-endpoint", frontend, "--worker-endpoint", worker, "--scheduler-endpoint", scheduler,
            "--admin-endpoint", admin,
        ]
    }

    func status() async throws -> ClusterStatus {
        try await AdminClient(endpoint: admin, logger: .silent).status(patience: .seconds(60))
    }

    /// The status once it is as wanted.
    @discardableResult
    func status(
        _ what: String,
        until isRight: @escaping @Sendable (ClusterStatus) -> Bool
    ) async throws -> ClusterStatus {
        try await eventually("the status to show \(what)") {
            try await status()
        } until: {
            isRight($0)
        }
    }

    /// Does something with a client whose session with the broker lives as long as that takes.
    func withClient<Value: Sendable>(
        patience: Interval = .seconds(60),
        _ body: @escaping @Sendable (AladdinClient) async throws -> Value
    ) async throws -> Value {
        let client = AladdinClient(endpoint: frontend, name: "test", connectPatience: patience, logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }
}

extension ClusterStatus {
    var model: ModelStatus? { models.first }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
