internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import ServingModel
internal import WorkerService

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Runs a worker: one engine that pulls queries from the broker and streams tokens back."
    )

    @Option(help: "What this worker calls itself. (default: HOST-PID)")
    var name: String?

    @OptionGroup var engine: EngineOptions
    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let processID = ProcessInfo.processInfo.processIdentifier
        let choice = try engine.choice()
        var configuration = WorkerServiceConfiguration(
            name: try Setting.resolve(name, "name", default: "\(ProcessInfo.processInfo.hostName)-\(processID)")
        )
        configuration.brokerEndpoint = try endpoints.worker()
        configuration.keys = try key.keys(for: .worker)
        configuration.batching = choice.batching
        if let workers = choice.workers, workers != 1 {
            throw ValidationError("--upstream is given \(workers) times; a worker has one server")
        }
        let worker = choice.worker(0, configuration, logger: logger)
        try await ServiceOptions.run([worker], logger: logger)
    }
}
