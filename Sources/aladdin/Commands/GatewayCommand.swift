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
        let client = AladdinClient(
            endpoint: try endpoints.frontend(),
            name: "gateway",
            key: try key.clientKey(for: .frontend),
            logger: logger
        )
        let admin = try KeyOptions.clientKey(try Setting.resolve(adminKey, "admin-key"), for: .admin)
        let gateway = try gateway.service(
            for: client,
            cluster: ClusterStatusSource(endpoint: try endpoints.admin(), key: admin),
            access: table,
            tracing: try spans.map { GatewayTracing(spans: $0, share: try tracing.share()) },
            ownSpans: true,
            logger: logger
        ) { url in
            logger.info("gateway serves", metadata: ["address": "\(url)"])
        }
        try await ServiceOptions.run(
            TracingOptions.services(spans) + KeyDirectoryOptions.followers(directory, table, logger)
                + service.follower(of: "gateway", logger: logger) + [client, gateway],
            logger: logger
        )
    }
}
