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

    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var scaling: ScalingAdviceOptions
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
        try scaling.apply(to: &configuration)
        configuration.standsBy = try standby || Setting.resolve(nil as Bool?, "standby") == true
        let scheduler = try SchedulerService(configuration: configuration, logger: logger)
        try await ServiceOptions.run([scheduler], logger: logger)
    }
}

/// How queries are placed.
struct PolicyOptions: ParsableArguments {
    @Option(help: "One of: \(PolicyCatalog.names.joined(separator: ", ")). (default: \(PolicyCatalog.defaultName))")
    var policy: String?

    func name() throws -> String {
        let name = try Setting.resolve(policy, "policy", default: PolicyCatalog.defaultName)
        guard PolicyCatalog.names.contains(name) else {
            throw ValidationError(
                "--policy is '\(name)'; it must be one of: \(PolicyCatalog.names.joined(separator: ", "))"
            )
        }
        return name
    }
}
