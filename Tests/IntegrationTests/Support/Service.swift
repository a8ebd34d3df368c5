internal import Foundation
internal import Messages
internal import Testing

/// `aladdin up` on free ports.
struct Service: Sendable {
    let process: ServiceProcess
    let endpoints: Endpoints
    /// `http://127.0.0.1:PORT`.
    let url: String

    static func up(_ flags: String..., workers: Int = 2) async throws -> Service {
        try await up(flags, workers: workers)
    }

    static func up(_ flags: [String], workers: Int = 2) async throws -> Service {
        let arguments = ["up", "--http", "127.0.0.1:0", "--workers", "\(workers)"] + Endpoints().flags + flags
        let process = ServiceProcess(arguments)
        let ready = try await process.line("aladdin is ready on http", in: \.output)
        let url = try #require(ready.split(separator: " ").first { $0.hasPrefix("http") })
        let service = Service(process: process, endpoints: try await Endpoints(of: process), url: String(url))
        try await service.endpoints.status("all workers and a policy") {
            $0.workers.count == workers && !$0.policy.isEmpty
        }
        return service
    }
}

/// The roles as processes of their own.
struct Cluster: Sendable {
    var broker: ServiceProcess
    var endpoints: Endpoints

    static func start(_ flags: String...) async throws -> Cluster {
        let broker = ServiceProcess(["broker"] + Endpoints().flags + flags)
        return Cluster(broker: broker, endpoints: try await Endpoints(of: broker))
    }

    /// Starts the broker anew, on the same ports.
    mutating func restartBroker(_ flags: String...) async throws {
        broker = ServiceProcess(["broker"] + endpoints.flags + flags)
        _ = try await Endpoints(of: broker)
    }

    func scheduler(_ flags: String...) -> ServiceProcess { ServiceProcess(["scheduler"] + endpoints.flags + flags) }

    func worker(_ name: String, _ flags: String...) -> ServiceProcess {
        ServiceProcess(["worker", "--name", name] + endpoints.flags + flags)
    }

    /// - Returns: the gateway and its URL.
    func gateway() async throws -> (process: ServiceProcess, url: String) {
        let process = ServiceProcess(["gateway", "--http", "127.0.0.1:0"] + endpoints.flags)
        let line = try await process.line("gateway serves")
        let word = try #require(line.split(separator: " ").first { $0.hasPrefix("address=") })
        return (process, String(word.dropFirst("address=".count)))
    }
}
