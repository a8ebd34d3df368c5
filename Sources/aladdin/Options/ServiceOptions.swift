internal import ArgumentParser
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// What every long-running command has.
struct ServiceOptions: ParsableArguments {
    @Option(help: "What is logged to standard error: trace, debug, info, warning or error. (default: info)")
    var logLevel: String?

    func logger() throws -> Logger {
        let name = try Setting.resolve(logLevel, "log-level", default: "info")
        LogLevel.shared.value = Logger.Level(rawValue: name) ?? .info
        return Logger(label: "aladdin") { ProcessLogHandler(label: $0) }
    }

    /// Takes over what can change of this while the service runs.
    func reconfigure() throws {
        let name = try Setting.resolve(logLevel, "log-level", default: "info")
        LogLevel.shared.value = Logger.Level(rawValue: name) ?? .info
    }

    /// What follows the configuration file, if there is one.
    func follower(
        of command: String,
        logger: Logger,
        apply: @escaping @Sendable () async throws -> Void = {}
    ) -> [any Service] {
        let follower = ConfigurationFollower(command, logger: logger) {
            try await apply()
            try reconfigure()
        }
        return follower.map { [$0] } ?? []
    }

    /// Runs services until Ctrl-C or SIGTERM, then shuts them down in reverse order.
    static func run(_ services: [any Service], logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: quiet
            )
        )
        try await group.run()
    }
}
