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
        guard Self.isWellFormed(endpoint) else {
            throw ValidationError(
                "--\(name) is '\(endpoint)'; it must be tcp://HOST:PORT or ipc:///PATH, for example \(fallback)"
            )
        }
        return endpoint
    }

    /// Port `*` is any free one; whether a host or path can be used shows when it is.
    private static func isWellFormed(_ endpoint: String) -> Bool {
        if endpoint.hasPrefix("ipc://") { return endpoint.utf8.count > "ipc://".utf8.count }
        guard endpoint.hasPrefix("tcp://") else { return false }
        let address = endpoint.dropFirst("tcp://".count)
        guard let colon = address.lastIndex(of: ":"), colon != address.startIndex else { return false }
        let port = address[address.index(after: colon)...]
        return port == "*" || (port.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(port) != nil)
    }
}
