internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import BrokerService
internal import Foundation
internal import GatewayService
internal import Logging
internal import SchedulerService
internal import ServiceLifecycle
internal import ServingModel
internal import WorkerService

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Runs everything in one process on this machine: broker, scheduler, workers and gateway."
    )

    @Option(help: "How many workers. (default: 2; one for each --upstream)")
    var workers: Int?

    @OptionGroup var gateway: GatewayOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var objective: ObjectiveOptions
    @OptionGroup var admission: AdmissionOptions
    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var journal: JournalOptions
    @OptionGroup var delivery: DeliveryOptions
    @OptionGroup var keys: KeyDirectoryOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let wanted = try Setting.resolve(workers, "workers")
        guard (1...1024).contains(wanted ?? 2) else {
            throw ValidationError("--workers is \(wanted ?? 2); it must be from 1 to 1024")
        }
        // All options are checked before anything starts.
        let choice = try engine.choice(sharedBy: wanted ?? 2)
        let count = choice.workers ?? wanted ?? 2
        guard wanted ?? count == count else {
            throw ValidationError(
                "--workers is \(wanted ?? 0) where --upstream is given \(count) times: a worker has one server"
            )
        }
        let policy = try policy.name()
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
            services = try roles(count, choice, policy, opened, at: addresses, logger)
        } catch {
            await broker.close()
            throw error
        }
        let followers = KeyDirectoryOptions.followers(opened?.directory, opened?.table, logger)
        try await ServiceOptions.run(followers + [broker] + services, logger: logger)
    }

    private func roles(
        _ count: Int,
        _ choice: EngineChoice,
        _ policy: String,
        _ opened: KeyDirectoryOptions.Opened?,
        at addresses: BrokerAddresses,
        _ logger: Logger
    ) throws -> [any Service] {
        var scheduling = SchedulerServiceConfiguration()
        scheduling.brokerEndpoint = addresses.scheduler
        scheduling.policy = policy
        scheduling.keys = opened?.admit("scheduler", as: .scheduler)
        let workerKeys = opened?.admit("worker", as: .worker)
        var services: [any Service] = [try SchedulerService(configuration: scheduling, logger: logger)]
        for number in 1...count {
            var configuration = WorkerServiceConfiguration(name: "worker-\(number)")
            configuration.brokerEndpoint = addresses.worker
            configuration.keys = workerKeys
            configuration.batching = choice.batching
            configuration.drainTime = .seconds(2)
            services.append(choice.worker(number - 1, configuration, logger: logger))
        }
        let key = opened?.admit("gateway", as: .frontend).map { ClientKey($0) }
        let client = AladdinClient(endpoint: addresses.frontend, name: "gateway", key: key, logger: logger)
        let adminKey = opened?.admit("metrics", as: .admin).map { ClientKey($0) }
        let metrics = ClusterMetrics(endpoint: addresses.admin, key: adminKey)
        services.append(client)
        let kind = choice.kind
        services.append(
            try gateway.service(for: client, metrics: metrics, access: opened?.table, logger: logger) { address in
                // With a server that never comes there is nothing to announce, and shutdown must not wait for it.
                await cancelWhenGracefulShutdown {
                    await Self.announce(address, client: client, engine: kind, wantsKey: opened != nil)
                }
            }
        )
        return services
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
