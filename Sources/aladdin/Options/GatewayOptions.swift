internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import GatewayService
internal import Logging
internal import ServiceLifecycle
internal import Telemetry

/// Where the gateway listens.
struct GatewayOptions: ParsableArguments {
    @Option(help: "Where HTTP is served, HOST:PORT. (default: 127.0.0.1:8080)")
    var http: String?

    /// - Parameters:
    ///   - admin: the broker's admin endpoint, which its metrics come from.
    ///   - greeting: what to print once the port is open.
    func service(
        for client: AladdinClient,
        admin: String,
        logger: Logger,
        greeting: @escaping @Sendable (_ address: String) async -> Void
    ) throws -> GatewayService {
        let (host, port) = try address()
        return GatewayService(
            configuration: GatewayConfiguration(host: host, port: port),
            service: client,
            metrics: MetricRegistry(),
            logger: logger,
            clusterMetrics: { await ClusterMetrics(endpoint: admin).exposition() },
            onListening: { address, _ in await greeting(address) }
        )
    }

    /// - Throws: `ValidationError` if it is malformed.
    func address() throws -> (host: String, port: Int) {
        try Self.split(try Setting.resolve(http, "http", default: "127.0.0.1:8080"))
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
