internal import ArgumentParser
internal import BrokerService

/// The four endpoints: where the broker listens, and where everybody else finds it.
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

    /// For the broker itself, which listens in one place for each role.
    func listening() throws -> BrokerAddresses {
        BrokerAddresses(
            frontend: try listening(frontendEndpoint, "frontend-endpoint", 5550),
            worker: try listening(workerEndpoint, "worker-endpoint", 5551),
            scheduler: try listening(schedulerEndpoint, "scheduler-endpoint", 5552),
            admin: try listening(adminEndpoint, "admin-endpoint", 5553)
        )
    }

    private func listening(_ given: String?, _ name: String, _ port: Int) throws -> String {
        let address = try Setting.resolve(given, name, default: "tcp://127.0.0.1:\(port)")
        guard !address.contains(",") else {
            throw ValidationError(
                "\(Setting.label(name, isGiven: given != nil)) is '\(address)'; a broker listens in one place"
            )
        }
        return address
    }
}
