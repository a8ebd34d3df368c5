internal import Foundation
public import Logging
public import ServiceLifecycle
internal import UnixSignals
internal import WorkerService

/// A worker for an engine of your own: it joins a broker, pulls queries, batches them and streams the tokens back.
///
/// ```swift
/// try await Worker(engine: MyEngine(), broker: "tcp://broker:5551").run()
/// ```
///
/// All that an engine does is in its `Engine`; sessions, leases, batches, reports, cancelling and draining are the worker's.
/// Several workers may run in one process, each with an engine of its own.
public struct Worker: Service {
    private let service: WorkerService
    private let stopsOnSignals: Bool
    /// What is wrong with what it was made with.
    private let fault: Status?
    private let logger: Logger

    /// Makes a worker that does nothing until `run()`.
    ///
    /// - Parameters:
    ///   - engine: evaluated once, on the thread that then makes all calls to the engine; what it throws ends `run()`.
    ///   - broker: the broker's endpoint for workers, `tcp://HOST:PORT`.
    ///   - name: what this worker calls itself in tables; by default the host's name and the process number.
    ///   - key: for a broker that wants to know who comes.
    ///   - batching: how prefills and decodes share a step.
    ///   - role: the phase of queries that it is for; for one alone the engine has to be a `HandoverEngine`.
    ///   - kvExchange: the directory in which such engines leave KV caches for each other; nil for the user's own in memory.
    ///   - drainTime: how long a shutdown waits for running queries; what is left then runs elsewhere.
    ///   - stopsOnSignals: whether SIGTERM and Ctrl-C end `run()` in good order, and the process where the engine hangs.
    ///     Inside a `ServiceGroup` of your own that handles signals, say false.
    ///   - logger: where it tells of itself; never of prompts or outputs.
    public init(
        engine: @escaping @autoclosure @Sendable () throws -> any Engine,
        broker: String = "tcp://127.0.0.1:5551",
        name: String? = nil,
        key: WorkerKey? = nil,
        batching: BatchingMode = .chunked,
        role: WorkerRole = .both,
        kvExchange: String? = nil,
        drainTime: Interval = .seconds(10),
        stopsOnSignals: Bool = true,
        logger: Logger = Logger(label: "worker", factory: { StreamLogHandler.standardError(label: $0) })
    ) {
        var configuration = Self.configuration(name, broker, key, batching, drainTime, stopsOnSignals)
        configuration.role = role
        var fault: Status?
        do throws(Status) {
            configuration.exchange = try KVExchange(directory: kvExchange ?? KVExchange.standardDirectory)
        } catch {
            // Without one a worker for both phases just takes no part.
            if kvExchange != nil || role != .both { fault = error }
        }
        self.fault = fault
        service = WorkerService(configuration: configuration, logger: logger, makeEngine: engine)
        self.stopsOnSignals = stopsOnSignals
        self.logger = logger
    }

    /// Makes a worker over an engine that batches for itself; otherwise as the other one.
    public init(
        streaming engine: any StreamingEngine,
        broker: String = "tcp://127.0.0.1:5551",
        name: String? = nil,
        key: WorkerKey? = nil,
        drainTime: Interval = .seconds(10),
        stopsOnSignals: Bool = true,
        logger: Logger = Logger(label: "worker", factory: { StreamLogHandler.standardError(label: $0) })
    ) {
        let configuration = Self.configuration(name, broker, key, .chunked, drainTime, stopsOnSignals)
        fault = nil
        service = WorkerService(configuration: configuration, logger: logger, engine: engine)
        self.stopsOnSignals = stopsOnSignals
        self.logger = logger
    }

    /// Makes the engine, then serves until a graceful shutdown or a signal, and drains.
    ///
    /// While the broker is away it keeps trying. Call it once.
    ///
    /// - Throws: what making the engine threw; a `Status` if the engine's description cannot be used or the broker
    ///   refuses this worker for good, or if KV caches can't be exchanged where they should; an error if the endpoint is
    ///   malformed.
    public func run() async throws {
        if let fault { throw fault }
        guard stopsOnSignals else { return try await service.run() }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: quiet
            )
        )
        try await group.run()
    }

    private static func configuration(
        _ name: String?,
        _ broker: String,
        _ key: WorkerKey?,
        _ batching: BatchingMode,
        _ drainTime: Interval,
        _ stopsOnSignals: Bool
    ) -> WorkerServiceConfiguration {
        var configuration = WorkerServiceConfiguration(name: name ?? defaultName)
        configuration.brokerEndpoint = broker
        configuration.keys = key?.keys
        configuration.batching = batching
        configuration.drainTime = drainTime
        if stopsOnSignals { configuration.hangingEngine = .ends { exit(1) } }
        return configuration
    }

    private static var defaultName: String {
        "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }
}
