internal import ArgumentParser
internal import BrokerService

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs the broker: accepts queries, queues them, hands them to workers and streams answers back."
    )

    @OptionGroup var options: BrokerOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let opened = try options.keys.open()
        let broker = try options.broker(opened, logger: logger)
        let keys = KeyDirectoryOptions.followers(opened?.directory, opened?.table, logger)
        let follower = service.follower(of: "broker", logger: logger) { [options] in
            await broker.reconfigure(try options.brokerConfiguration())
        }
        try await ServiceOptions.run(keys + follower + [broker], logger: logger)
    }
}
