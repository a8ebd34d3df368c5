internal import AccessControl
internal import Actuation
internal import AladdinClient
internal import ArgumentParser
internal import BrokerService
internal import GatewayService
internal import Logging
internal import SchedulerService
internal import Scheduling
internal import ServiceLifecycle
internal import ServingModel
internal import SpanExport
internal import WorkerService
internal import ZeroMQ

extension Up {
    /// Whether workers follow the scheduler's wishes, whose limits are then made safe for one machine.
    func isAutoscaling(_ count: Int, _ scheduling: inout SchedulerServiceConfiguration) throws -> Bool {
        guard try Setting.flag(autoscale, "autoscale") else { return false }
        guard scheduling.scaling != nil else {
            throw ValidationError(
                "--autoscale follows what the scheduler wishes for; it can't be used with --scaling off"
            )
        }
        if try Setting.resolve(scaling.maxWorkers, "max-workers") == nil {
            scheduling.scalingLimits.most = max(64, count)
        }
        let limits = scheduling.scalingLimits
        guard (limits.least...limits.most).contains(count) else {
            throw ValidationError(
                "--workers is \(count); with --autoscale it must be from --min-workers, \(limits.least), to "
                    + "--max-workers, \(limits.most)"
            )
        }
        return true
    }

    /// Where scaling decisions are written down.
    func decisionLog(of scales: Bool) throws -> DecisionLog? {
        guard let log = try AutoscaleCommand.log(at: decisionLog) else { return nil }
        guard scales else { throw ValidationError("--decision-log needs --autoscale: without it nothing is decided") }
        return log
    }

    /// Workers of this process, or, with an engine that can't be trusted with it, beside it.
    ///
    /// - Parameter prefillCount: workers for prompts alone; the others then are for decodes alone.
    func workers(
        _ count: Int,
        _ prefillCount: Int,
        _ choice: EngineChoice,
        _ opened: KeyDirectoryOptions.Opened?,
        at addresses: BrokerAddresses,
        on thread: LoopThread?,
        _ logger: Logger
    ) throws -> [any Service] {
        let keys = opened?.admit("worker", as: .worker)
        let prefills = (0..<prefillCount).map { (name: "prefill-\($0 + 1)", role: WorkerRole.prefill) }
        let others = (1...count).map { (name: "worker-\($0)", role: prefillCount > 0 ? WorkerRole.decode : .both) }
        guard let engine = choice.processArguments else {
            return try (prefills + others).enumerated().map { number, worker in
                var configuration = WorkerServiceConfiguration(name: worker.name)
                try exchange.apply(to: &configuration, worker.role, choice.kind, logger: logger)
                configuration.brokerEndpoint = addresses.inside?.worker ?? addresses.worker
                configuration.thread = thread
                configuration.engineBusyPoll = try broker.threads.engineBusyPoll()
                configuration.keys = keys
                configuration.batching = choice.batching(for: worker.role)
                configuration.drainTime = .seconds(2)
                configuration.hangingEngine = .leftBehind
                return choice.worker(number, configuration, logger: logger)
            }
        }
        let file = try keys.map { try HandedKey($0) }
        guard prefillCount == 0 else {
            throw ValidationError("--prefill-workers needs --engine cpu or emulated: others can't hand KV caches over")
        }
        let processes = others.map(\.name).map { name in
            let arguments = WorkerProcess.arguments(
                name: name,
                broker: addresses.worker,
                engine: engine,
                keyFile: file?.path,
                level: logger.logLevel
            )
            return WorkerProcess(arguments: arguments, name: name, logger: logger)
        }
        // Shut down last, as what comes first is.
        return (file.map { [$0] } ?? []) + processes
    }

    /// What starts and ends workers as processes of their own.
    func fleet(
        _ count: Int,
        _ choice: EngineChoice,
        _ limits: ScalingLimits,
        _ decisions: DecisionLog?,
        _ opened: KeyDirectoryOptions.Opened?,
        at addresses: BrokerAddresses,
        _ logger: Logger
    ) throws -> [any Service] {
        var configuration = FleetControlService.Configuration()
        configuration.adminEndpoint = addresses.admin
        configuration.key = opened?.admit("fleet", as: .admin).map { ClientKey($0) }
        configuration.initialWorkers = count
        configuration.settings.least = limits.least
        configuration.settings.most = limits.most
        configuration.log = decisions
        let file = try opened?.admit("worker", as: .worker).map { try HandedKey($0) }
        let engine = choice.processArguments ?? engine.arguments
        let actuator = ProcessActuator(executable: WorkerProcess.program, logger: logger) { name in
            WorkerProcess.arguments(
                name: name,
                broker: addresses.worker,
                engine: engine,
                keyFile: file?.path,
                level: logger.logLevel,
                // Workers that are sent away may finish what they have; a shutdown of everything doesn't wait for it.
                drainSeconds: 3600
            )
        }
        let control = FleetControlService(configuration: configuration, actuator: actuator, logger: logger)
        return (file.map { [$0] } ?? []) + [control]
    }

    /// The gateway, and the client that it asks through.
    func clients(
        _ kind: String,
        _ opened: KeyDirectoryOptions.Opened?,
        _ spans: SpanExporter?,
        at addresses: BrokerAddresses,
        on thread: LoopThread?,
        _ logger: Logger
    ) throws -> [any Service] {
        let key = opened?.admit("gateway", as: .frontend).map { ClientKey($0) }
        let client = AladdinClient(
            endpoint: addresses.inside?.frontend ?? addresses.frontend,
            name: "gateway",
            key: key,
            thread: thread,
            logger: logger
        )
        let adminKey = opened?.admit("metrics", as: .admin).map { ClientKey($0) }
        let cluster = ClusterView(ClusterStatusSource(endpoint: addresses.admin, key: adminKey))
        let tracing = try spans.map { GatewayTracing(spans: $0, share: try broker.tracing.share()) }
        let gateway = try gateway.service(
            for: client,
            cluster: cluster,
            access: opened?.table,
            tracing: tracing,
            logger: logger
        ) {
            let url = $0
            // With a server that never comes there is nothing to announce, and shutdown must not wait for it.
            await cancelWhenGracefulShutdown {
                await Self.announce(url, client: client, engine: kind, wantsKey: opened != nil)
            }
        }
        return [client, gateway]
    }
}
