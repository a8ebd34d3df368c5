internal import AccessControl
internal import ArgumentParser
internal import SchedulerService
internal import Scheduling
internal import ServingModel

struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler",
        abstract: "Runs the scheduler: decides which worker gets which query, and learns how fast workers are."
    )

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var scaling: ScalingAdviceOptions
    @OptionGroup var threads: ThreadOptions
    @Flag(help: "Stand by until no other scheduler is there, instead of taking over from it.")
    var standby = false

    @OptionGroup var key: KeyOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        var configuration = SchedulerServiceConfiguration()
        configuration.brokerEndpoint = try endpoints.scheduler()
        configuration.keys = try key.keys(for: .scheduler)
        configuration.policy = try policy.name()
        configuration.thread = try threads.thread("scheduler")
        try scaling.apply(to: &configuration)
        configuration.standsBy = try Setting.flag(standby, "standby")
        let scheduler = try SchedulerService(configuration: configuration, logger: logger)
        let follower = service.follower(of: "scheduler", logger: logger) { [policy, scaling] in
            try await Self.reconfigure(scheduler, policy, scaling)
        }
        try await ServiceOptions.run(follower + [scheduler], logger: logger)
    }

    /// Takes over the policies that the settings name now.
    static func reconfigure(
        _ scheduler: SchedulerService,
        _ policy: PolicyOptions,
        _ scaling: ScalingAdviceOptions
    ) async throws {
        var changed = SchedulerServiceConfiguration()
        changed.policy = try policy.name()
        try scaling.apply(to: &changed)
        try await scheduler.reconfigure(
            policy: changed.policy,
            scaling: changed.scaling,
            limits: changed.scalingLimits,
            startUp: changed.workerStartUp
        )
    }
}

/// How queries are placed.
struct PolicyOptions: ParsableArguments {
    @Option(help: "One of: \(PolicyCatalog.names.joined(separator: ", ")). (default: \(PolicyCatalog.defaultName))")
    var policy: String?

    func name() throws -> String {
        try Setting.resolve(policy, "policy", default: PolicyCatalog.defaultName)
    }
}
