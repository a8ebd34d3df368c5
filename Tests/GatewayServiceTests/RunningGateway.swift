internal import AccessControl
internal import GatewayService
internal import Logging
internal import ServiceLifecycle
internal import ServingModel
internal import Telemetry

/// A gateway on a loopback port that the system chose.
struct RunningGateway: Sendable {
    let port: Int
    let address: String
    let metrics: MetricRegistry
    private let group: ServiceGroup

    static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a gateway in front of `service` while `body` runs, then shuts it down gracefully.
    static func with<Value>(
        _ service: StandInService,
        _ configuration: GatewayConfiguration = .forTests,
        cluster: ClusterInsight = .none,
        access: AccessTable? = nil,
        tracing: GatewayTracing? = nil,
        _ body: (RunningGateway) async throws -> Value
    ) async throws -> Value {
        let metrics = MetricRegistry()
        let (addresses, source) = AsyncStream.makeStream(of: (String, Int).self)
        let gateway = GatewayService(
            configuration: configuration,
            service: service,
            metrics: metrics,
            access: access,
            logger: silence,
            unixTime: { 1_700_000_000 },
            cluster: cluster,
            tracing: tracing,
            onListening: { source.yield(($0, $1)) }
        )
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: silence
            )
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { source.finish() }
                try await group.run()
            }
            var iterator = addresses.makeAsyncIterator()
            guard let (address, port) = await iterator.next() else {
                try await tasks.waitForAll()
                throw CancellationError()
            }
            let value = try await body(
                RunningGateway(port: port, address: address, metrics: metrics, group: group)
            )
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }

    /// Runs `body` with a connection to the gateway.
    func connect<Value>(_ body: (inout TestConnection) async throws -> Value) async throws -> Value {
        try await TestConnection.open(port: port, body)
    }

    /// One request on a connection of its own.
    func request(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> TestConnection.Response {
        try await connect { try await $0.request(method, path, headers: headers, body: body) }
    }

    func shutDown() async {
        await group.triggerGracefulShutdown()
    }
}

extension GatewayConfiguration {
    /// Any port of the loopback interface, and hardly any grace at shutdown.
    static let forTests = test { _ in }

    /// A configuration for tests with something changed.
    static func test(_ change: (inout GatewayConfiguration) -> Void) -> GatewayConfiguration {
        var configuration = GatewayConfiguration(port: 0)
        configuration.shutdownGrace = .milliseconds(10)
        configuration.shutdownCutoff = .seconds(60)
        change(&configuration)
        return configuration
    }
}
