internal import ArgumentParser
internal import BrokerService
internal import Brokering
internal import ServingModel

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs the broker: accepts queries, queues them, hands them to workers and streams answers back."
    )

    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var objective: ObjectiveOptions
    @OptionGroup var admission: AdmissionOptions
    @OptionGroup var journal: JournalOptions
    @OptionGroup var delivery: DeliveryOptions
    @OptionGroup var keys: KeyDirectoryOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let opened = try keys.open()
        let broker = try BrokerService(
            configuration: try Self.configuration(endpoints, objective, admission, delivery, keys, opened),
            journal: try journal.journal(for: try endpoints.frontend()),
            logger: logger
        )
        try await ServiceOptions.run(
            KeyDirectoryOptions.followers(opened?.directory, opened?.table, logger) + [broker],
            logger: logger
        )
    }

    static func configuration(
        _ endpoints: EndpointOptions,
        _ objective: ObjectiveOptions,
        _ admission: AdmissionOptions,
        _ delivery: DeliveryOptions,
        _ keys: KeyDirectoryOptions,
        _ opened: KeyDirectoryOptions.Opened?
    ) throws -> BrokerServiceConfiguration {
        var configuration = BrokerServiceConfiguration()
        configuration.frontendEndpoint = try endpoints.frontend()
        configuration.workerEndpoint = try endpoints.worker()
        configuration.schedulerEndpoint = try endpoints.scheduler()
        configuration.adminEndpoint = try endpoints.admin()
        configuration.broker.objective = try objective.objective()
        try admission.apply(to: &configuration.broker)
        try delivery.apply(to: &configuration.broker)
        configuration.security = opened.map { BrokerSecurity(keys: $0.serverKeys, table: $0.table) }
        configuration.bindsInsecurely = try keys.bindsInsecurely()
        let exposed = configuration.exposedEndpoints
        guard exposed.isEmpty || opened != nil || configuration.bindsInsecurely else {
            throw ValidationError(
                "\(exposed.joined(separator: ", ")) can be reached by others, and \(BrokerServiceConfiguration.exposureRule)"
            )
        }
        return configuration
    }
}
