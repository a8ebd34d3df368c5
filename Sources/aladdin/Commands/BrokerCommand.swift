internal import ArgumentParser
internal import BrokerService
internal import ServiceLifecycle
internal import SpanExport

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs the broker: accepts queries, queues them, hands them to workers and streams answers back."
    )

    @OptionGroup var options: BrokerOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let spans = try options.tracing.exporter(logger: logger)
        let opened = try options.keys.open()
        let standby = try options.standby(opened, spans: spans, logger: logger)
        let broker = try standby == nil ? options.broker(opened, spans: spans, logger: logger) : nil
        let keys = KeyDirectoryOptions.followers(opened?.directory, opened?.table, logger)
        let follower = service.follower(of: "broker", logger: logger) { [options] in
            let changed = try options.brokerConfiguration()
            await standby?.reconfigure(changed)
            await broker?.reconfigure(changed)
        }
        let brokers = [standby as (any Service)?, broker].compactMap { $0 }
        try await ServiceOptions.run(TracingOptions.services(spans) + keys + follower + brokers, logger: logger)
    }
}
