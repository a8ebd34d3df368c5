internal import AladdinClient
internal import ArgumentParser
internal import Logging
internal import ServiceLifecycle
internal import ServiceSettings

/// Where those who connect find the broker, or the one of several that leads.
struct PeerOptions: ParsableArguments {
    @OptionGroup var endpoints: EndpointOptions

    @Option(
        help: """
            Hosts of the broker and of those that stand by for it, with a comma between: instead of the endpoints, at \
            their usual ports; HOST:PORT for the first of four others. (default: this machine)
            """
    )
    var broker: String?

    @OptionGroup var shards: ShardOptions

    /// Of several brokers, with a comma between.
    func frontend() throws -> String {
        try Setting.resolve(endpoints.frontendEndpoint, "frontend-endpoint") ?? usual(.frontend)
    }

    func worker() throws -> String {
        try Setting.resolve(endpoints.workerEndpoint, "worker-endpoint") ?? usual(.worker)
    }

    func scheduler() throws -> String {
        try Setting.resolve(endpoints.schedulerEndpoint, "scheduler-endpoint") ?? usual(.scheduler)
    }

    func admin() throws -> String {
        try Setting.resolve(endpoints.adminEndpoint, "admin-endpoint") ?? usual(.admin)
    }

    /// The admin endpoints of all shards, by their names; nil if one service is meant.
    func everyAdmin() throws -> [(shard: String, endpoint: String)]? {
        guard try Setting.resolve(endpoints.adminEndpoint, "admin-endpoint") == nil else { return nil }
        return try every(.admin)
    }

    /// A client of the service, or of all its shards where none of them is named.
    func client(
        _ name: String,
        key: ClientKey?,
        rule: ShardRuleOptions,
        logger: Logger
    ) throws -> any QueryService & Service {
        guard try Setting.resolve(endpoints.frontendEndpoint, "frontend-endpoint") == nil,
            let list = try shards.list(), let every = try every(.frontend)
        else { return AladdinClient(endpoint: try frontend(), name: name, key: key, logger: logger) }
        return ShardedClient(
            try rule.map(of: list),
            endpoints: Dictionary(uniqueKeysWithValues: every.map { ($0.shard, $0.endpoint) }),
            name: name,
            key: key,
            logger: logger
        )
    }

    private func every(_ endpoint: BrokerAddress.Endpoint) throws -> [(shard: String, endpoint: String)]? {
        guard let list = try shards.list(), try shards.name(in: list) == nil else { return nil }
        try checkBroker()
        return list.names.compactMap { name in list.endpoints(endpoint, of: name).map { (name, $0) } }
    }

    private func usual(_ endpoint: BrokerAddress.Endpoint) throws -> String {
        if let list = try shards.list() {
            try checkBroker()
            return list.endpoints(endpoint, of: try shards.requiredName(in: list)) ?? ""
        }
        let brokers = BrokerAddress.list(try Setting.resolve(broker, "broker", default: "127.0.0.1")) ?? []
        return brokers.map { $0.endpoint(endpoint) }.joined(separator: ",")
    }

    private func checkBroker() throws {
        guard try Setting.resolve(broker, "broker") == nil else {
            throw ConfigurationFault(
                "\(Setting.label("broker", isGiven: broker != nil)) and shards are both given; shards say where each one's brokers are"
            )
        }
    }
}
