internal import ArgumentParser
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import ServingModel

/// A worker in a process of its own, so that a crash of its engine is not a crash of the broker.
///
/// A worker that crashes is started anew, after pauses that grow with repetition. One that ends by itself has said what is
/// wrong and would say it again, so that ends the service.
struct WorkerProcess: Service {
    /// Of `aladdin`, from the command on.
    let arguments: [String]
    let name: String
    let logger: Logger

    /// Shorter lives are repetitions of one trouble.
    private static let soundLife = Duration.seconds(30)

    func run() async throws {
        var failures = 0
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let start = ContinuousClock.now
            let end = try await ChildProcess(program: Self.program, arguments: arguments).run()
            guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
            guard case .crashed(let signal) = end else { throw ExitCode(1) }
            failures = ContinuousClock.now - start < Self.soundLife ? failures + 1 : 1
            let pause = Interval.milliseconds(min(100 << min(failures, 6), 5000))
            logger.error(
                "worker crashed; it is started anew",
                metadata: ["worker": "\(name)", "signal": "\(signal)", "in": "\(pause.milliseconds) ms"]
            )
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .nanoseconds(pause.nanoseconds)) }
        }
    }
}

extension WorkerProcess {
    /// This very program.
    static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// The arguments of a worker for the broker of this process.
    static func arguments(
        name: String,
        broker: String,
        engine: [String],
        keyFile: String?,
        level: Logger.Level,
        drainSeconds: Int = 2
    ) -> [String] {
        var arguments = ["worker", "--name", name, "--worker-endpoint", broker, "--log-level", level.rawValue]
        arguments += ["--drain-s", "\(drainSeconds)", "--until-input-ends"]
        if let keyFile { arguments += ["--key", keyFile] }
        return arguments + engine
    }
}
