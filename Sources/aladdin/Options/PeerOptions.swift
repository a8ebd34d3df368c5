internal import ArgumentParser

/// Where those who connect find the broker, or the one of several that leads.
struct PeerOptions: ParsableArguments {
    @OptionGroup var endpoints: EndpointOptions

    @Option(
        help: """
            Hosts of the broker and of those that stand by for it, with a comma between: instead of the endpoints, at \
            their usual ports. (default: this machine)
            """
    )
    var broker: String?

    /// Of several brokers, with a comma between.
    func frontend() throws -> String {
        try Setting.resolve(endpoints.frontendEndpoint, "frontend-endpoint") ?? usual(5550)
    }

    func worker() throws -> String {
        try Setting.resolve(endpoints.workerEndpoint, "worker-endpoint") ?? usual(5551)
    }

    func scheduler() throws -> String {
        try Setting.resolve(endpoints.schedulerEndpoint, "scheduler-endpoint") ?? usual(5552)
    }

    func admin() throws -> String {
        try Setting.resolve(endpoints.adminEndpoint, "admin-endpoint") ?? usual(5553)
    }

    private func usual(_ port: Int) throws -> String {
        let hosts = try Setting.resolve(broker, "broker", default: "127.0.0.1")
        return hosts.split(separator: ",").map { "tcp://\($0):\(port)" }.joined(separator: ",")
    }
}
