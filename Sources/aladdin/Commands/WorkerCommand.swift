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

    @Option(
        name: .customLong("drain-s"),
        parsing: .unconditional,
        help: "How long a shutdown lets running queries go on; what is left then is run elsewhere. (default: 10)"
    )
    var drain: Double?

    /// For a parent that keeps the other end of a pipe: when that closes, this worker leaves in good order.
    @Flag(help: .hidden)
    var endWithInput = false

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
        let seconds = try Setting.resolve(drain, "drain-s", default: configuration.drainTime.seconds)
        guard (0...86_400).contains(seconds) else {
            throw ValidationError("--drain-s is \(seconds); it must be from 0 to 86400")
        }
        configuration.drainTime = .seconds(rounding: seconds)
        if endWithInput { Self.leaveWhenInputEnds() }
        let worker = WorkerService(configuration: configuration, logger: logger, makeEngine: choice.make)
        try await ServiceOptions.run([worker], logger: logger)
    }

    private static func leaveWhenInputEnds() {
        Thread.detachNewThread {
            while let bytes = try? FileHandle.standardInput.read(upToCount: 256), !bytes.isEmpty {}
            kill(getpid(), SIGTERM)
        }
    }
}
