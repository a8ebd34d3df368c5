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

    @Option(
        help: "File of settings, NAME: VALUE a line, by the names of the options. (default: what ALADDIN_CONFIG says)"
    )
    var config: String?

    func frontend() throws -> String {
        try Setting.resolve(frontendEndpoint, "frontend-endpoint", default: "tcp://127.0.0.1:5550")
    }

    func worker() throws -> String {
        try Setting.resolve(workerEndpoint, "worker-endpoint", default: "tcp://127.0.0.1:5551")
    }

    func scheduler() throws -> String {
        try Setting.resolve(schedulerEndpoint, "scheduler-endpoint", default: "tcp://127.0.0.1:5552")
    }

    func admin() throws -> String {
        try Setting.resolve(adminEndpoint, "admin-endpoint", default: "tcp://127.0.0.1:5553")
    }
}
