internal import ArgumentParser
internal import Brokering

/// How much the broker takes on.
struct LimitOptions: ParsableArguments {
    @Option(help: "Queries accepted and not yet ended; more are refused. (default: 100000)")
    var maxQueries: Int?

    @Option(help: "The same for the queries of one client's session. (default: 16384)")
    var maxSessionQueries: Int?

    @Option(help: "Output tokens that one query may ask for. (default: 131072)")
    var maxOutputTokens: Int?

    func apply(to configuration: inout BrokerConfiguration) throws {
        configuration.maximumQueries = try Setting.resolve(maxQueries, "max-queries", default: 100_000)
        configuration.maximumQueriesPerSession = try Setting.resolve(
            maxSessionQueries,
            "max-session-queries",
            default: 16_384
        )
        configuration.maximumTokens = try Setting.resolve(maxOutputTokens, "max-output-tokens", default: 131_072)
    }
}
