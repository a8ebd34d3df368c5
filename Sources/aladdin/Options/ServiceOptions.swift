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
        guard let level = Logger.Level(rawValue: name.lowercased()) else {
            throw ValidationError(
                "--log-level is '\(name)'; it must be one of: trace, debug, info, notice, warning, error, critical"
            )
        }
        var logger = Logger(label: "aladdin") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
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
