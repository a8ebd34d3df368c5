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
    @OptionGroup var journal: JournalOptions
    @OptionGroup var delivery: DeliveryOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let broker = try BrokerService(
            configuration: try Self.configuration(endpoints, objective, delivery),
            journal: try journal.journal(for: try endpoints.frontend()),
            logger: logger
        )
        try await ServiceOptions.run([broker], logger: logger)
    }

    static func configuration(
        _ endpoints: EndpointOptions,
        _ objective: ObjectiveOptions,
        _ delivery: DeliveryOptions
    ) throws -> BrokerServiceConfiguration {
        var configuration = BrokerServiceConfiguration()
        configuration.frontendEndpoint = try endpoints.frontend()
        configuration.workerEndpoint = try endpoints.worker()
        configuration.schedulerEndpoint = try endpoints.scheduler()
        configuration.adminEndpoint = try endpoints.admin()
        configuration.broker.objective = try objective.objective()
        try delivery.apply(to: &configuration.broker)
        return configuration
    }
}
