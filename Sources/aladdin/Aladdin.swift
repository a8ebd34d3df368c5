internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import PluginEngine
internal import ReferenceEngine
internal import ServiceSettings
internal import ServingModel
internal import ZeroMQ

@main
struct Aladdin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aladdin",
        abstract: "Schedules LLM queries on as few workers as their objectives allow.",
        discussion: """
            `aladdin up` runs the whole service in one process; broker, scheduler, worker and gateway run its roles \
            apart. Every option of theirs can also be given as an environment variable, --worker-endpoint as \
            ALADDIN_WORKER_ENDPOINT, or in a file: --config FILE with worker-endpoint: … in it.
            """,
        version: Version.current,
        subcommands: [
            Up.self, BrokerCommand.self, SchedulerCommand.self, WorkerCommand.self, GatewayCommand.self,
            AutoscaleCommand.self, ConfigCommand.self, QueryCommand.self, StatusCommand.self, TopCommand.self,
            ExplainCommand.self,
            BenchCommand.self,
            KeysCommand.self,
            SimulateCommand.self, PlanCommand.self, ReplayCommand.self, CalibrateCommand.self,
        ]
    )

    /// Runs the command; wrong usage and wrong input end with 2, failures with 1.
    static func main() async {
        FreedMemory.keep()
        Terminal.claimStandardStreams()
        var running: (any ParsableCommand.Type)?
        do {
            let sources = try Setting.sources(for: Array(CommandLine.arguments.dropFirst()))
            try await Setting.$sources.withValue(sources) {
                var command = try parseAsRoot()
                running = type(of: command)
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
        } catch  where exitCode(for: error) == .success {
            // Help and the like, which are answers.
            Terminal.write(fullMessage(for: error) + "\n")
            exit()
        } catch  where exitCode(for: error) == .validationFailure {
            Terminal.tell((running.map { wrongUsage(error, of: $0) } ?? fullMessage(for: error)) + "\n")
            exit(withError: ExitCode(2))
        } catch let error as ConfigurationFaults {
            for fault in error.faults { Terminal.complain("\(fault)") }
            exit(withError: ExitCode(2))
        } catch let error as ConfigurationFault {
            Terminal.complain("\(error)")
            exit(withError: ExitCode(2))
        } catch let error as ModelLoadingError {
            Terminal.complain("\(error)")
            exit(withError: ExitCode(2))
        } catch let error as PluginError {
            Terminal.complain("\(error)")
            exit(withError: ExitCode(2))
        } catch let error as AccessError {
            Terminal.complain("\(error)")
            exit(withError: ExitCode(2))
        } catch {
            exit(withError: error)
        }
    }

    /// What `fullMessage` would say, had the command's parser found the fault.
    private static func wrongUsage(_ error: any Error, of command: any ParsableCommand.Type) -> String {
        let usage = usageString(for: command)
        let name = usage.split(separator: " ").prefix { $0.first?.isLetter == true }.joined(separator: " ")
        return """
            Error: \(message(for: error))
            Usage: \(usage)
              See '\(name) --help' for more information.
            """
    }
}
