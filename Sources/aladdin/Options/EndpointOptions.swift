internal import ArgumentParser
internal import BrokerService

/// Where the broker listens, and where everybody else finds it.
struct EndpointOptions: ParsableArguments {
    @Option(help: "Where clients and gateways connect. (default: tcp://127.0.0.1:5550)")
    var frontendEndpoint: String?

    @Option(help: "Where workers connect. (default: tcp://127.0.0.1:5551)")
    var workerEndpoint: String?

    @Option(help: "Where the scheduler connects. (default: tcp://127.0.0.1:5552)")
    var schedulerEndpoint: String?

    @Option(help: "Where operators connect. (default: tcp://127.0.0.1:5553)")
    var adminEndpoint: String?

    func frontend() throws -> String {
        try endpoint(frontendEndpoint, "frontend-endpoint", default: "tcp://127.0.0.1:5550")
    }

    func worker() throws -> String {
        try endpoint(workerEndpoint, "worker-endpoint", default: "tcp://127.0.0.1:5551")
    }

    func scheduler() throws -> String {
        try endpoint(schedulerEndpoint, "scheduler-endpoint", default: "tcp://127.0.0.1:5552")
    }

    func admin() throws -> String {
        try endpoint(adminEndpoint, "admin-endpoint", default: "tcp://127.0.0.1:5553")
    }

    private func endpoint(_ given: String?, _ name: String, default fallback: String) throws -> String {
        let endpoint = try Setting.resolve(given, name, default: fallback)
        guard endpoint.hasPrefix("tcp://") || endpoint.hasPrefix("ipc://") else {
            throw ValidationError("--\(name) is '\(endpoint)'; it must begin with tcp:// or ipc://")
        }
        return endpoint
    }
}
