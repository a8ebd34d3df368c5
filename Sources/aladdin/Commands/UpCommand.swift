internal import AccessControl
internal import Actuation
internal import AladdinClient
internal import ArgumentParser
internal import BrokerService
internal import Foundation
internal import GatewayService
internal import Logging
internal import SchedulerService
internal import Scheduling
internal import ServiceLifecycle
internal import ServingModel
internal import WorkerService

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Runs everything in one process on this machine: broker, scheduler, workers and gateway."
    )

    @Option(help: "How many workers, with --autoscale to begin with. (default: 2)")
    var workers: Int?

    @Flag(
        help: """
            Start and end workers, as processes of their own, as the scheduler wishes, between --min-workers and \
            --max-workers. (default maximum: 64)
            """
    )
    var autoscale = false

    @OptionGroup var gateway: GatewayOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var scaling: ScalingAdviceOptions
    @OptionGroup var objective: ObjectiveOptions
    @OptionGroup var admission: AdmissionOptions
    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var journal: JournalOptions
    @OptionGroup var delivery: DeliveryOptions
    @OptionGroup var keys: KeyDirectoryOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let count = try Setting.resolve(workers, "workers", default: 2)
        guard (1...1024).contains(count) else {
            throw ValidationError("--workers is \(count); it must be from 1 to 1024")
        }
        // All options are checked before anything starts.
        let choice = try engine.choice(sharedBy: count)
        var scheduling = SchedulerServiceConfiguration()
        scheduling.policy = try policy.name()
        try scaling.apply(to: &scheduling)
        let scales = try isAutoscaling(count, &scheduling)
        try gateway.checkExposure(keys, logger: logger)
        let opened = try keys.open()
        let broker = try BrokerService(
            configuration: try BrokerCommand.configuration(endpoints, objective, admission, delivery, keys, opened),
            journal: try journal.journal(for: try endpoints.frontend()),
            logger: logger
        )
        // Bound here, so that a port in use is said at once and free ports (*) are known to the other roles.
        let addresses = try await broker.bind()
        let services: [any Service]
        do {
            scheduling.brokerEndpoint = addresses.scheduler
            scheduling.keys = opened?.admit("scheduler", as: .scheduler)
            let workers: [any Service] =
                scales
                ? [try fleet(count, scheduling.scalingLimits, opened, at: addresses, logger)]
                : self.workers(count, choice, opened, at: addresses, logger)
            services =
                [try SchedulerService(configuration: scheduling, logger: logger)] + workers
                + (try self.services(choice.kind, opened, at: addresses, logger))
        } catch {
            await broker.close()
            throw error
        }
        defer { if scales { WorkerProcesses.removeKeyFile() } }
        let followers = KeyDirectoryOptions.followers(opened?.directory, opened?.table, logger)
        try await ServiceOptions.run(followers + [broker] + services, logger: logger)
    }

    private func isAutoscaling(_ count: Int, _ scheduling: inout SchedulerServiceConfiguration) throws -> Bool {
        guard try autoscale || Setting.resolve(nil as Bool?, "autoscale") == true else { return false }
        guard scheduling.scaling != nil else {
            throw ValidationError(
                "--autoscale follows what the scheduler wishes for; it can't be used with --scaling off"
            )
        }
        // Processes of one machine: without a limit of the user's a safe one.
        if try Setting.resolve(scaling.maxWorkers, "max-workers") == nil {
            scheduling.scalingLimits.most = max(64, count)
        }
        let limits = scheduling.scalingLimits
        guard (limits.least...limits.most).contains(count) else {
            throw ValidationError(
                "--workers is \(count); with --autoscale it must be from --min-workers, \(limits.least), to --max-workers, "
                    + "\(limits.most)"
            )
        }
        return true
    }

    /// Workers of this process.
    private func workers(
        _ count: Int,
        _ choice: EngineChoice,
        _ opened: KeyDirectoryOptions.Opened?,
        at addresses: BrokerAddresses,
        _ logger: Logger
    ) -> [any Service] {
        let keys = opened?.admit("worker", as: .worker)
        return (1...count).map { number in
            var configuration = WorkerServiceConfiguration(name: "worker-\(number)")
            configuration.brokerEndpoint = addresses.worker
            configuration.keys = keys
            configuration.batching = choice.batching
            configuration.drainTime = .seconds(2)
            return WorkerService(configuration: configuration, logger: logger, makeEngine: choice.make)
        }
    }

    /// What starts and ends workers as processes of their own.
    private func fleet(
        _ count: Int,
        _ limits: ScalingLimits,
        _ opened: KeyDirectoryOptions.Opened?,
        at addresses: BrokerAddresses,
        _ logger: Logger
    ) throws -> any Service {
        var configuration = FleetControlService.Configuration()
        configuration.adminEndpoint = addresses.admin
        configuration.key = opened?.admit("fleet", as: .admin).map { ClientKey($0) }
        configuration.initialWorkers = count
        configuration.settings.least = limits.least
        configuration.settings.most = limits.most
        let workerProcesses = WorkerProcesses(
            engine: engine.arguments,
            endpoint: addresses.worker,
            keyFile: try opened?.admit("worker", as: .worker).map { try WorkerProcesses.writeKeyFile($0) },
            logLevel: logger.logLevel
        )
        let actuator = ProcessActuator(executable: WorkerProcesses.executable, logger: logger) {
            workerProcesses.arguments(named: $0)
        }
        return FleetControlService(configuration: configuration, actuator: actuator, logger: logger)
    }

    private func services(
        _ kind: String,
        _ opened: KeyDirectoryOptions.Opened?,
        at addresses: BrokerAddresses,
        _ logger: Logger
    ) throws -> [any Service] {
        let key = opened?.admit("gateway", as: .frontend).map { ClientKey($0) }
        let client = AladdinClient(endpoint: addresses.frontend, name: "gateway", key: key, logger: logger)
        let adminKey = opened?.admit("metrics", as: .admin).map { ClientKey($0) }
        let metrics = ClusterMetrics(endpoint: addresses.admin, key: adminKey)
        let gateway = try gateway.service(for: client, metrics: metrics, access: opened?.table, logger: logger) {
            await Self.announce($0, client: client, engine: kind, wantsKey: opened != nil)
        }
        return [client, gateway]
    }

    /// Says that the service is ready once it is: when a model is served.
    private static func announce(_ address: String, client: AladdinClient, engine: String, wantsKey: Bool) async {
        var model = ""
        while model.isEmpty, !Task.isCancelled {
            model = (try? await client.models())?.first?.name ?? ""
            if model.isEmpty { try? await Task.sleep(for: .milliseconds(20)) }
        }
        guard !model.isEmpty else { return }
        let emulated = engine == "emulated" ? " (emulated: placeholder text, no model)" : ""
        let header = wantsKey ? " -H 'authorization: Bearer YOUR-API-KEY'" : ""
        Terminal.write(
            """
            aladdin is ready on http://\(address) serving \(model)\(emulated). Try:
              curl -N http://\(address)/v1/chat/completions -H 'content-type: application/json'\(header) \\
                -d '{"model": "\(model)", "stream": true, "messages": [{"role": "user", "content": "Tell me a story about a lamp."}]}'

            """
        )
    }
}
