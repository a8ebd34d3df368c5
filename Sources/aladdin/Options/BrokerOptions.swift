internal import ArgumentParser
internal import BrokerService
internal import Brokering
internal import Logging
internal import ServiceSettings
internal import ServingModel
internal import SpanExport
internal import ZeroMQ

/// Everything that a broker can be told, alone or as a part of `up`.
struct BrokerOptions: ParsableArguments {
    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var objective: ObjectiveOptions
    @Option(
        help: """
            Objectives with names, NAME=TTFT/ATGT in milliseconds, with commas between; queries choose one with x-slo-class. \
            (default: none)
            """
    )
    var sloClasses: String?

    @OptionGroup var admission: AdmissionOptions
    @OptionGroup var journal: JournalOptions
    @OptionGroup var delivery: DeliveryOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var keys: KeyDirectoryOptions
    @OptionGroup var tracing: TracingOptions
    @OptionGroup var shards: ShardOptions
    @OptionGroup var shardRule: ShardRuleOptions

    /// - Parameters:
    ///   - opened: the key directory, if there is one.
    ///   - spans: who takes the spans of queries.
    ///   - others: the threads of other roles that run in this process.
    func broker(
        _ opened: KeyDirectoryOptions.Opened?,
        spans: SpanExporter?,
        besides others: RoleThreads? = nil,
        logger: Logger
    ) throws -> BrokerService {
        var configuration = try configuration(opened, spans)
        if let others {
            configuration.servesInside = true
            configuration.thread = others.front ?? configuration.thread
            if !others.isOne { configuration.leaveRoundsToOthers() }
        }
        return try BrokerService(
            configuration: configuration,
            journal: try journal.journal(for: try endpoints.listening().frontend),
            logger: logger
        )
    }

    /// What the broker itself goes by.
    func brokerConfiguration() throws -> BrokerConfiguration {
        var configuration = BrokerConfiguration()
        configuration.tracedShare = try tracing.share()
        configuration.objective = try objective.objective()
        configuration.objectiveClasses =
            try Setting.resolve(sloClasses, "slo-classes").flatMap { ObjectiveClassList.parse($0) } ?? [:]
        try admission.apply(to: &configuration)
        try delivery.apply(to: &configuration)
        try limits.apply(to: &configuration)
        configuration.shard = try shards.list().map { list in
            ShardMembership(shard: try shards.requiredName(in: list), in: try shardRule.map(of: list))
        }
        let retention = try journal.retention()
        configuration.nameRetention = retention.result + Interval.seconds(3600)
        configuration.nameCapacity = 2 * retention.results + configuration.maximumQueries
        return configuration
    }

    /// A broker that stands by as long as another one leads; nil if its journal is not in a database.
    func standby(
        _ opened: KeyDirectoryOptions.Opened?,
        spans: SpanExporter?,
        logger: Logger
    ) throws -> StandbyBroker? {
        guard let makeJournal = try journal.database(for: try endpoints.listening().frontend) else { return nil }
        return StandbyBroker(configuration: try configuration(opened, spans), logger: logger, makeJournal: makeJournal)
    }

    private func configuration(
        _ opened: KeyDirectoryOptions.Opened?,
        _ spans: SpanExporter?
    ) throws -> BrokerServiceConfiguration {
        var configuration = BrokerServiceConfiguration()
        let addresses = try endpoints.listening()
        configuration.frontendEndpoint = addresses.frontend
        configuration.workerEndpoint = addresses.worker
        configuration.schedulerEndpoint = addresses.scheduler
        configuration.adminEndpoint = addresses.admin
        configuration.thread = try threads.thread("broker")
        configuration.broker = try brokerConfiguration()
        configuration.spans = spans
        if spans == nil { configuration.broker.tracedShare = nil }
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
