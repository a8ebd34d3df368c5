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
        help: """
            The phase of queries that it is for: prefill computes prompts and first tokens and hands the KV cache over, \
            decode takes it over, both does both. (default: both)
            """
    )
    var role: String?

    @Option(help: "Seconds that a shutdown waits for running queries; what is left then runs elsewhere. (default: 10)")
    var drainS: Double?

    @Flag(help: .hidden)
    var untilInputEnds = false

    @OptionGroup var exchange: ExchangeOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var threads: ThreadOptions
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
        configuration.thread = try threads.thread("worker-io")
        configuration.engineBusyPoll = try threads.engineBusyPoll()
        let role = try Setting.resolve(role, "role").flatMap { WorkerRole(rawValue: $0) } ?? .both
        configuration.batching = choice.batching(for: role)
        try exchange.apply(to: &configuration, role, choice.kind, logger: logger)
        configuration.drainTime = try drainTime()
        configuration.hangingEngine = .ends { Foundation.exit(1) }
        if let workers = choice.workers, workers != 1 {
            throw ValidationError("--upstream is given \(workers) times; a worker has one server")
        }
        if untilInputEnds { Self.stopWhenInputEnds() }
        let worker = choice.worker(0, configuration, logger: logger)
        try await ServiceOptions.run(service.follower(of: "worker", logger: logger) + [worker], logger: logger)
    }

    private func drainTime() throws -> Interval {
        let seconds = try Setting.resolve(drainS, "drain-s", default: 10)
        return .seconds(rounding: seconds)
    }

    /// The input of a worker that another process started ends with that process.
    private static func stopWhenInputEnds() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR { errno = 0 }
            kill(getpid(), SIGTERM)
        }
    }
}
