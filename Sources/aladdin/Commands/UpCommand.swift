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
internal import SpanExport
internal import ZeroMQ

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Runs everything in one process on this machine: broker, scheduler, workers and gateway."
    )

    @Option(help: "How many workers, with --autoscale to begin with. (default: 2; one for each --upstream)")
    var workers: Int?

    @Option(
        help: """
            How many workers for prompts alone, beside --workers, which then decode alone: the KV cache is handed over. \
            (default: 0)
            """
    )
    var prefillWorkers: Int?

    @Option(
        help: """
            Whether the roles share one thread, share two or have each its own: one, two or each. (default: auto, by the \
            number of processors)
            """
    )
    var roleThreads: String?

    @Flag(
        help: """
            Start and end workers, as processes of their own, as the scheduler wishes, between --min-workers and \
            --max-workers. (default maximum: 64)
            """
    )
    var autoscale = false

    @Option(
        help: """
            With --autoscale: append each decision, its reason and what came of it to this file, as a line of JSON. \
            (default: none)
            """
    )
    var decisionLog: String?

    @OptionGroup var gateway: GatewayOptions
    @OptionGroup var exchange: ExchangeOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var scaling: ScalingAdviceOptions
    @OptionGroup var broker: BrokerOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let wanted = try Setting.resolve(workers, "workers")
        // All options are checked before anything starts.
        let prefillCount = try Setting.resolve(prefillWorkers, "prefill-workers", default: 0)
        let choice = try engine.choice(sharedBy: (wanted ?? 2) + prefillCount)
        let count = choice.workers ?? wanted ?? 2
        let threads = try RoleThreads(roleThreads, busyPoll: try broker.threads.busyPoll(), for: choice)
        guard wanted ?? count == count else {
            throw ValidationError(
                "--workers is \(wanted ?? 0) where --upstream is given \(count) times: a worker has one server"
            )
        }
        var scheduling = SchedulerServiceConfiguration()
        scheduling.policy = try policy.name()
        try scaling.apply(to: &scheduling)
        let scales = try isAutoscaling(count, &scheduling)
        guard !scales || choice.workers == nil else {
            throw ValidationError("--autoscale can't start servers of --engine upstream: see aladdin autoscale")
        }
        guard prefillCount == 0 || !scales else {
            throw ValidationError("--prefill-workers can't be used with --autoscale, which starts workers of one kind")
        }
        let decisions = try decisionLog(of: scales)
        try gateway.checkExposure(broker.keys, logger: logger)
        let opened = try broker.keys.open()
        let spans = try self.broker.tracing.exporter(logger: logger)
        let broker = try broker.broker(opened, spans: spans, besides: threads, logger: logger)
        // Bound here, so that a port in use is said at once and free ports (*) are known to the other roles.
        let addresses = try await broker.bind()
        let services: [any Service]
        let follower: [any Service]
        do {
            scheduling.brokerEndpoint = addresses.inside?.scheduler ?? addresses.scheduler
            scheduling.thread = try threads.back ?? self.broker.threads.thread("scheduler")
            scheduling.keys = opened?.admit("scheduler", as: .scheduler)
            let workers =
                scales
                ? try fleet(count, choice, scheduling.scalingLimits, decisions, opened, at: addresses, logger)
                : try self.workers(count, prefillCount, choice, opened, at: addresses, on: threads.back, logger)
            let scheduler = try SchedulerService(configuration: scheduling, logger: logger)
            services =
                [scheduler] + workers
                + (try clients(choice.kind, opened, spans, at: addresses, on: threads.front, logger))
            let control = workers.lazy.compactMap { $0 as? FleetControlService }.first
            follower = service.follower(of: "up", logger: logger) { [self] in
                try await reconfigure(broker, scheduler, control)
            }
        } catch {
            await broker.close()
            throw error
        }
        let followers = KeyDirectoryOptions.followers(opened?.directory, opened?.table, logger)
        try await ServiceOptions.run(
            TracingOptions.services(spans) + followers + follower + [broker] + services,
            logger: logger
        )
    }

    /// Takes over what can change while the service runs.
    private func reconfigure(
        _ broker: BrokerService,
        _ scheduler: SchedulerService,
        _ control: FleetControlService?
    ) async throws {
        let configuration = try self.broker.brokerConfiguration()
        var scheduling = SchedulerServiceConfiguration()
        try scaling.apply(to: &scheduling)
        if control != nil, try Setting.resolve(scaling.maxWorkers, "max-workers") == nil {
            scheduling.scalingLimits.most = 64
        }
        let limits = scheduling.scalingLimits
        try await scheduler.reconfigure(
            policy: try policy.name(),
            scaling: scheduling.scaling,
            limits: limits,
            startUp: scheduling.workerStartUp
        )
        await broker.reconfigure(configuration)
        var settings = FleetController.Settings()
        (settings.least, settings.most) = (limits.least, limits.most)
        await control?.reconfigure(settings)
    }

    /// Says that the service is ready once it is: when a model is served.
    static func announce(_ url: String, client: AladdinClient, engine: String, wantsKey: Bool) async {
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
            aladdin is ready on \(url) serving \(model)\(emulated). Try:
              curl -N \(url)/v1/chat/completions -H 'content-type: application/json'\(header) \\
                -d '{"model": "\(model)", "stream": true, "messages": [{"role": "user", "content": "Tell me a story about a lamp."}]}'

            """
        )
    }
}
