internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import GatewayService
internal import Logging
internal import ServiceLifecycle
internal import ServiceSettings
internal import SpanExport
internal import Telemetry
internal import ZeroMQ

/// Where the gateway listens.
struct GatewayOptions: ParsableArguments {
    @Option(help: "Where HTTP is served, HOST:PORT. (default: 127.0.0.1:8080)")
    var http: String?

    @Option(
        help: "PEM file with the certificate to serve HTTPS with, and those that vouch for it. (default: plain HTTP)"
    )
    var tlsCertificate: String?

    @Option(help: "PEM file with the certificate's private key.")
    var tlsKey: String?

    /// The certificate to serve with; nil for plain HTTP.
    func identity() throws -> TLSIdentity? {
        let certificate = try Setting.resolve(tlsCertificate, "tls-certificate")
        let key = try Setting.resolve(tlsKey, "tls-key")
        guard certificate != nil || key != nil else { return nil }
        guard let certificate, let key else {
            let (given, missing) = key == nil ? ("tls-certificate", "tls-key") : ("tls-key", "tls-certificate")
            let label = Setting.label(given, isGiven: (key == nil ? tlsCertificate : tlsKey) != nil)
            throw ConfigurationFault(
                "\(label) is '\(certificate ?? key ?? "")', but \(missing) is missing; both must be given"
            )
        }
        do throws(TLSIdentity.Fault) {
            return try TLSIdentity(certificate: certificate, key: key)
        } catch {
            let isKey = error.file == .key
            let label = Setting.label(
                isKey ? "tls-key" : "tls-certificate",
                isGiven: (isKey ? tlsKey : tlsCertificate) != nil
            )
            let right = isKey ? "the certificate's private key in PEM" : "a certificate in PEM"
            throw ConfigurationFault(
                "\(label) is '\(isKey ? key : certificate)', which \(error.reason); it must be a file with \(right)"
            )
        }
    }

    /// - Parameters:
    ///   - cluster: where the cluster's figures come from.
    ///   - tracing: where spans of requests go.
    ///   - ownSpans: whether nobody else counts those.
    ///   - access: who has an API key; nil asks nobody for one.
    ///   - greeting: what to print once the port is open.
    func service(
        for client: any QueryService,
        cluster: ClusterView,
        access: AccessTable?,
        tracing: GatewayTracing?,
        ownSpans: Bool = false,
        logger: Logger,
        greeting: @escaping @Sendable (_ url: String) async -> Void
    ) throws -> GatewayService {
        let identity = try identity()
        let scheme = identity == nil ? "http" : "https"
        let address = try address()
        return GatewayService(
            configuration: GatewayConfiguration(host: address.host, port: address.port),
            service: client,
            metrics: MetricRegistry(),
            access: access,
            logger: logger,
            cluster: ClusterInsight(
                metrics: {
                    await cluster.metrics()
                        + SpanMetrics.exposition(of: ownSpans ? tracing?.spans.counts : nil)
                },
                status: { try Terminal.compactJSON(try await cluster.status().object) }
            ),
            tls: identity,
            tracing: tracing,
            onListening: { address, _ in await greeting("\(scheme)://\(address)") }
        )
    }

    func address() throws -> HostAndPort {
        let text = try Setting.resolve(http, "http", default: "127.0.0.1:8080")
        guard let address = HostAndPort(text) else {
            throw ConfigurationFault("--http is '\(text)'; it must be HOST:PORT")
        }
        return address
    }

    /// Refuses to serve where others can come and nobody is asked for a key.
    func checkExposure(_ keys: KeyDirectoryOptions, logger: Logger) throws {
        let host = try address().host
        guard !Exposure.isLoopback(host: host), try keys.directory() == nil else { return }
        guard try keys.bindsInsecurely() else {
            throw ValidationError(
                "\(Setting.label("http", isGiven: http != nil)) is \(host), which can be reached by others, and nobody would be asked for an API key. Give the gateway keys "
                    + "(--keys DIR; aladdin keys new NAME --role http makes one), listen on 127.0.0.1, or add "
                    + "--insecure-bind if only trusted machines can reach this network"
            )
        }
        logger.warning("INSECURE: whoever reaches the gateway can use it", metadata: ["host": "\(host)"])
    }
}
