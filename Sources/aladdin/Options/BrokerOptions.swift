internal import ArgumentParser
internal import BrokerService
internal import Brokering
internal import Logging
internal import ServingModel

/// Everything that a broker can be told, alone or as a part of `up`.
struct BrokerOptions: ParsableArguments {
    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var objective: ObjectiveOptions
    @OptionGroup var admission: AdmissionOptions
    @OptionGroup var journal: JournalOptions
    @OptionGroup var delivery: DeliveryOptions
    @OptionGroup var keys: KeyDirectoryOptions

    /// - Parameter opened: the key directory, if there is one.
    func broker(_ opened: KeyDirectoryOptions.Opened?, logger: Logger) throws -> BrokerService {
        try BrokerService(
            configuration: try configuration(opened),
            journal: try journal.journal(for: try endpoints.frontend()),
            logger: logger
        )
    }

    private func configuration(_ opened: KeyDirectoryOptions.Opened?) throws -> BrokerServiceConfiguration {
        var configuration = BrokerServiceConfiguration()
        configuration.frontendEndpoint = try endpoints.frontend()
        configuration.workerEndpoint = try endpoints.worker()
        configuration.schedulerEndpoint = try endpoints.scheduler()
        configuration.adminEndpoint = try endpoints.admin()
        configuration.broker.objective = try objective.objective()
        try admission.apply(to: &configuration.broker)
        try delivery.apply(to: &configuration.broker)
        configuration.broker.nameRetention = try journal.retention().result + Interval.seconds(3600)
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
