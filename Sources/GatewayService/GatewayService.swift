package import AccessControl
package import AladdinClient
internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import ServingModel
package import Telemetry

/// The HTTP gateway: OpenAI's interface in front of a query service.
///
/// Call `run()` once, in a task of yours or in a `ServiceGroup`. On graceful shutdown it takes no more connections,
/// lets answers under way go on for `GatewayConfiguration.shutdownGrace`, ends the rest with an error, cuts what is left
/// after `shutdownCutoff` and returns; cancelling the task ends everything at once.
package struct GatewayService: Service {
    private let configuration: GatewayConfiguration
    private let service: any QueryService
    private let metrics: MetricRegistry
    private let access: AccessTable?
    private let logger: Logger
    private let unixTime: @Sendable () -> Int
    private let cluster: ClusterInsight
    private let tls: TLSIdentity?
    private let tracing: GatewayTracing?
    private let onListening: @Sendable (_ address: String, _ port: Int) async -> Void

    /// Makes a gateway; nothing happens before `run()`.
    ///
    /// - Parameters:
    ///   - configuration: where to listen and what to assume.
    ///   - service: answers the queries.
    ///   - metrics: where the gateway counts, and what `GET /metrics` shows.
    ///   - access: who has an API key; nil asks nobody for one.
    ///   - logger: where to log; prompts and answers are never logged.
    ///   - unixTime: seconds since 1970, for the field `created`.
    ///   - cluster: what is known of the whole cluster, for `GET /metrics` and the live page.
    ///   - tls: speaks TLS with this certificate; nil speaks plain HTTP.
    ///   - tracing: where spans of requests go; nil makes none, and passes on what clients say.
    ///   - onListening: called once the port is open, with `host:port` and the port, which matters if 0 was asked for.
    package init(
        configuration: GatewayConfiguration,
        service: any QueryService,
        metrics: MetricRegistry,
        access: AccessTable? = nil,
        logger: Logger,
        unixTime: @escaping @Sendable () -> Int = { time(nil) },
        cluster: ClusterInsight = .none,
        tls: TLSIdentity? = nil,
        tracing: GatewayTracing? = nil,
        onListening: @escaping @Sendable (_ address: String, _ port: Int) async -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.service = service
        self.metrics = metrics
        self.access = access
        self.logger = logger
        self.unixTime = unixTime
        self.cluster = cluster
        self.tls = tls
        self.tracing = tracing
        self.onListening = onListening
    }

    /// Serves until shutdown.
    ///
    /// - Throws: `GatewayError` if the address can't be listened on.
    package func run() async throws {
        let draining = OneShotSignal()
        let listening = OneShotSignal()
        let application = try application(draining: draining, listening: listening)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask { try await drainAfterShutdown(draining) }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch let error where !listening.isRaised && !(error is CancellationError) {
            throw GatewayError.cannotListen(on: configuration.address, error)
        } catch is CancellationError where draining.isRaised {
            // Connections that outlived their grace were cut; that is how shutdown is meant to end.
            logger.info("gateway stopped with connections still open")
        }
    }

    private func application(
        draining: OneShotSignal,
        listening: OneShotSignal
    ) throws -> Application<GatewayResponder> {
        let responder = GatewayResponder(
            configuration: configuration,
            service: service,
            metrics: GatewayMetrics(metrics),
            access: access,
            draining: draining,
            startTime: unixTime(),
            unixTime: unixTime,
            cluster: cluster,
            tracing: tracing
        )
        let idleTimeout = Duration.nanoseconds(configuration.idleTimeout.nanoseconds)
        let dates = DateHeader(unixTime: unixTime)
        let server = HTTPServerBuilder { [logger = serverLogger] answer in
            HTTP1Channel(
                responder: answer,
                configuration: .init(
                    additionalChannelHandlers: [
                        ConnectionCloseHandler(),
                        // In front of what answers completions, so that it knows of them.
                        HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger),
                        CompletionHandler(responder, dates),
                    ]
                )
            )
        }
        var configuration = ApplicationConfiguration(
            address: .hostname(configuration.host, port: configuration.port),
            serverName: "aladdin"
        )
        configuration.availableConnectionsDelegate = .maximum(self.configuration.maximumConnections, logger: logger)
        return Application(
            responder: responder,
            server: try tls.map { try .tls(server, tlsConfiguration: $0.configuration) } ?? server,
            configuration: configuration,
            onServerRunning: { [host = self.configuration.host, onListening] channel in
                listening.raise()
                let port = channel.localAddress?.port ?? 0
                await onListening(GatewayConfiguration.address(host: host, port: port), port)
            },
            logger: serverLogger
        )
    }

    /// The HTTP server's own words, where they help: its failures are thrown, too, and are ours to tell.
    private var serverLogger: Logger {
        var logger = logger
        if logger.logLevel > .debug { logger.logLevel = .critical }
        return logger
    }

    /// Ends what is still under way some time after shutdown has begun; returns when that has had time to be told.
    private func drainAfterShutdown(_ draining: OneShotSignal) async throws {
        try await gracefulShutdown()
        try await Task.sleep(for: .nanoseconds(configuration.shutdownGrace.nanoseconds))
        // Their clients may come back for them, to another gateway.
        await service.leaveAll()
        draining.raise()
        try await Task.sleep(for: .nanoseconds(configuration.shutdownCutoff.nanoseconds))
    }
}
