internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import GatewayService
internal import Logging
internal import ServiceLifecycle
internal import SpanExport

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Runs the HTTP gateway: OpenAI's interface in front of a broker."
    )

    @OptionGroup var gateway: GatewayOptions
    @Option(help: "File with a key for the broker's admin endpoint, to show its metrics. (default: none)")
    var adminKey: String?

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var shardRule: ShardRuleOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var keys: KeyDirectoryOptions
    @OptionGroup var tracing: TracingOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        try gateway.checkExposure(keys, logger: logger)
        let spans = try tracing.exporter(logger: logger)
        let directory = try keys.directory()
        let table = try KeyDirectoryOptions.table(of: directory)
        let client = try endpoints.client(
            "gateway",
            key: try key.clientKey(for: .frontend),
            rule: shardRule,
            logger: logger
        )
        let gateway = try gateway.service(
            for: client,
            cluster: try cluster(),
            access: table,
            tracing: try spans.map { GatewayTracing(spans: $0, share: try tracing.share()) },
            ownSpans: true,
            logger: logger
        ) { url in
            logger.info("gateway serves", metadata: ["address": "\(url)"])
        }
        try await ServiceOptions.run(
            TracingOptions.services(spans) + KeyDirectoryOptions.followers(directory, table, logger)
                + follower(client, logger) + [client, gateway],
            logger: logger
        )
    }

    /// What the live page and the metrics show: one service, or all its shards.
    private func cluster() throws -> ClusterView {
        let key = try KeyOptions.clientKey(try Setting.resolve(adminKey, "admin-key"), for: .admin)
        guard let shards = try endpoints.everyAdmin() else {
            return ClusterView(ClusterStatusSource(endpoint: try endpoints.admin(), key: key))
        }
        return ClusterView(shards: shards.map { ($0.shard, ClusterStatusSource(endpoint: $0.endpoint, key: key)) })
    }

    /// Pins that change hold for what comes from then on.
    private func follower(_ client: any QueryService, _ logger: Logger) -> [any Service] {
        service.follower(of: "gateway", logger: logger) { [endpoints, shardRule] in
            guard let sharded = client as? ShardedClient, let list = try endpoints.shards.list() else { return }
            sharded.adopt(try shardRule.map(of: list))
        }
    }
}
