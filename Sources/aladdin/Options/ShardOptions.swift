internal import ArgumentParser
internal import ServiceSettings
internal import ServingModel

/// The shards of a service that has several, and which of them is meant.
struct ShardOptions: ParsableArguments {
    @Option(
        help: """
            The shards of the service and the brokers of each, NAME=HOST, with a comma between hosts and a semicolon between \
            shards; instead of --broker. (default: there is one service)
            """
    )
    var shards: String?

    @Option(help: "Which of the shards.")
    var shard: String?

    /// Nil where there is one service.
    func list() throws -> ShardList? {
        try Setting.resolve(shards, "shards").flatMap { ShardList($0) }
    }

    /// The shard that is meant; nil if nobody says which.
    ///
    /// - Throws: `ConfigurationFault` for one that is not listed.
    func name(in list: ShardList) throws -> String? {
        guard let name = try Setting.resolve(shard, "shard") else { return nil }
        guard list.names.contains(name) else {
            throw ConfigurationFault(
                "\(Setting.label("shard", isGiven: shard != nil)) is '\(name)'; it must be \(Self.choice(list))"
            )
        }
        return name
    }

    /// - Throws: `ConfigurationFault` if it is not said which.
    func requiredName(in list: ShardList) throws -> String {
        guard let name = try name(in: list) else {
            throw ConfigurationFault(
                "there are several shards, so --shard has to say which is meant; it must be \(Self.choice(list))"
            )
        }
        return name
    }

    private static func choice(_ list: ShardList) -> String {
        list.names.count == 1 ? list.names[0] : "one of: \(list.names.joined(separator: ", "))"
    }
}

/// The rule by which shards divide the queries.
struct ShardRuleOptions: ParsableArguments {
    @Option(help: "What decides which shard serves a query: model or tenant. (default: model)")
    var shardBy: String?

    @Option(help: "Models or tenants that a certain shard serves, NAME=SHARD, with commas between. (default: none)")
    var shardPins: String?

    /// - Throws: `ConfigurationFault` for a pin to a shard that is not listed.
    func map(of list: ShardList) throws -> ShardMap {
        let key = ShardMap.Key(rawValue: try Setting.resolve(shardBy, "shard-by", default: "model")) ?? .model
        let pins = try Setting.resolve(shardPins, "shard-pins")
        guard let map = ShardMap(shards: list.names, by: key, pins: pins.flatMap { ShardList.pins($0) } ?? [:]) else {
            throw ConfigurationFault(
                "\(Setting.label("shard-pins", isGiven: shardPins != nil)) is '\(pins ?? "")'; what stands after each = "
                    + "must be one of the shards: \(list.names.joined(separator: ", "))"
            )
        }
        return map
    }
}
