internal import Foundation
internal import ServiceLifecycle
internal import Synchronization

/// A run of a program as a child of this process.
final class ChildProcess: Sendable {
    enum End: Sendable {
        case ended(code: Int32)
        case crashed(signal: Int32)
    }

    private struct State {
        var isStopping = false
        var process: Process?
    }

    private let program: String
    private let arguments: [String]
    private let state = Mutex(State())

    /// From being asked to stop to being killed: a worker's drain, its patience with an engine that hangs, and some.
    private static let patience = Duration.seconds(10)

    init(program: String, arguments: [String]) {
        self.program = program
        self.arguments = arguments
    }

    /// Runs it to its end, which a graceful shutdown or cancellation of the task asks for.
    func run() async throws -> End {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withCheckedThrowingContinuation { (ended: CheckedContinuation<End, any Error>) in
                start(ended)
            }
        } onCancelOrGracefulShutdown: {
            self.stop()
        }
    }

    private func start(_ ended: CheckedContinuation<End, any Error>) {
        state.withLock { state in
            guard !state.isStopping else { return ended.resume(returning: .ended(code: 0)) }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            // What the program is to know is among the arguments.
            process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ALADDIN_") }
            // Its input ends when this process does, however that ends.
            process.standardInput = Pipe()
            process.terminationHandler = { process in
                let code = process.terminationStatus
                let isCrash = process.terminationReason == .uncaughtSignal
                ended.resume(returning: isCrash ? .crashed(signal: code) : .ended(code: code))
            }
            do {
                try process.run()
                state.process = process
            } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
    }

    private func stop() {
        state.withLock { state in
            state.isStopping = true
            state.process?.terminate()
        }
        // Outlives the handler that called it, and nothing waits for it: a process that is gone by then is left alone.
        Task {
            try? await Task.sleep(for: Self.patience)
            state.withLock { state in
                guard let process = state.process, process.isRunning else { return }
                kill(process.processIdentifier, SIGKILL)
            }
        }
    }
}
