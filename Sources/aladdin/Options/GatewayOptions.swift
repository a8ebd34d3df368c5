internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import GatewayService
internal import Logging
internal import ServiceLifecycle
internal import Telemetry
internal import ZeroMQ

/// Where the gateway listens.
struct GatewayOptions: ParsableArguments {
    @Option(help: "Where HTTP is served, HOST:PORT. (default: 127.0.0.1:8080)")
    var http: String?

    /// - Parameters:
    ///   - cluster: where the cluster's figures come from.
    ///   - access: who has an API key; nil asks nobody for one.
    ///   - greeting: what to print once the port is open.
    func service(
        for client: AladdinClient,
        cluster: ClusterStatusSource,
        access: AccessTable?,
        logger: Logger,
        greeting: @escaping @Sendable (_ address: String) async -> Void
    ) throws -> GatewayService {
        let (host, port) = try address()
        return GatewayService(
            configuration: GatewayConfiguration(host: host, port: port),
            service: client,
            metrics: MetricRegistry(),
            access: access,
            logger: logger,
            cluster: ClusterInsight(
                metrics: { ClusterMetrics.exposition(of: try? await cluster.status(wantsMetrics: true)) },
                status: { try Terminal.compactJSON(try await cluster.status().object) }
            ),
            onListening: { address, _ in await greeting(address) }
        )
    }

    /// - Throws: `ValidationError` if it is malformed.
    func address() throws -> (host: String, port: Int) {
        try Self.split(try Setting.resolve(http, "http", default: "127.0.0.1:8080"))
    }

    /// Refuses to serve where others can come and nobody is asked for a key.
    func checkExposure(_ keys: KeyDirectoryOptions, logger: Logger) throws {
        let (host, _) = try address()
        guard !Exposure.isLoopback(host: host), try keys.directory() == nil else { return }
        guard try keys.bindsInsecurely() else {
            throw ValidationError(
                "--http \(host) can be reached by others, and nobody would be asked for an API key. Give the gateway keys "
                    + "(--keys DIR; aladdin keys new NAME --role http makes one), listen on 127.0.0.1, or add "
                    + "--insecure-bind if only trusted machines can reach this network"
            )
        }
        logger.warning("INSECURE: whoever reaches the gateway can use it", metadata: ["host": "\(host)"])
    }

    /// `HOST:PORT`, with brackets around an IPv6 address.
    private static func split(_ text: String) throws -> (host: String, port: Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon != text.startIndex
        else {
            throw ValidationError("--http is '\(text)'; it must be HOST:PORT, for example 127.0.0.1:8080")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return (String(host), port)
    }
}
