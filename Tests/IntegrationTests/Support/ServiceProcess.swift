internal import Foundation
internal import Synchronization
internal import Testing

/// A process that a test started: what it prints, its end, and the certainty that it is gone after the test.
final class ServiceProcess: Sendable {
    let id: pid_t
    let output = LineLog()
    let errors = LineLog()
    private let command: String

    private struct State {
        var exitCode: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let state: Exit

    /// How the process ended; apart, so that the thread that waits for it doesn't keep the process alive.
    private final class Exit: Sendable {
        let state = Mutex(State())

        func set(_ code: Int32) {
            let waiters = state.withLock { state in
                state.exitCode = code
                defer { state.waiters.removeAll() }
                return state.waiters
            }
            for waiter in waiters { waiter.resume(returning: code) }
        }

        var code: Int32? { state.withLock { $0.exitCode } }

        func wait() async -> Int32 {
            await withCheckedContinuation { waiter in
                let code = state.withLock { state in
                    if state.exitCode == nil { state.waiters.append(waiter) }
                    return state.exitCode
                }
                if let code { waiter.resume(returning: code) }
            }
        }
    }

    init(
        executable: String = Executable.path,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) {
        command = ([URL(fileURLWithPath: executable).lastPathComponent] + arguments).joined(separator: " ")
        var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ALADDIN_") }
        // Journals that a test does not ask for itself do not land in the user's home.
        variables["XDG_STATE_HOME"] =
            NSTemporaryDirectory() + "aladdin-tests-\(ProcessInfo.processInfo.processIdentifier)"
        for (name, value) in environment { variables[name] = value }
        let (output, error) = (Spawn.pipe(), Spawn.pipe())
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        id = Spawn.process(
            executable,
            arguments,
            environment: variables,
            input: null,
            output: output.write,
            error: error.write
        )
        for end in [null, output.write, error.write] { close(end) }
        Watchdog.shared.lives(id)
        let exit = Exit()
        state = exit
        Self.read(output.read, into: self.output)
        Self.read(error.read, into: errors)
        Self.wait(for: id, exit)
    }

    deinit {
        kill(SIGKILL)
    }

    /// Sends a signal to the whole group, if anything of it is left.
    func kill(_ signal: Int32) {
        if state.code == nil { _ = Foundation.kill(-id, signal) }
    }

    var isRunning: Bool { state.code == nil }

    /// The exit code; 128 + the signal's number if one ended it.
    @discardableResult
    func exitCode() async throws -> Int32 {
        let state = state
        return try await within("\(command) to end") {
            await state.wait()
        } onTimeout: {
            self.transcript
        }
    }

    /// The first line that contains `text` on standard error or output.
    @discardableResult
    func line(
        _ text: String,
        in log: any KeyPath<ServiceProcess, LineLog> & Sendable = \.errors,
        from index: Int = 0
    )
        async throws -> String
    {
        let log = self[keyPath: log]
        let line = try await within("'\(text)' from \(command)") {
            await log.first(from: index) { $0.contains(text) }
        } onTimeout: {
            self.transcript
        }
        return try #require(line, "\(command) ended without saying '\(text)':\n\(transcript)")
    }

    /// Returns when all that was printed has been read, which may be a little after the process is gone.
    ///
    /// Ten seconds at most: what it has started itself may hold the pipes for longer.
    func readToEnd() async {
        for log in [output, errors] {
            _ = try? await within("\(command) to close its pipes", limit: .seconds(10)) {
                await log.first { _ in false }
            }
        }
    }

    var transcript: String { "\(command)\n--- output\n\(output.text)\n--- errors\n\(errors.text)" }

    private static func read(_ descriptor: Int32, into log: LineLog) {
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = Foundation.read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                log.append(buffer[..<count])
            }
            close(descriptor)
            log.end()
        }
    }

    private static func wait(for id: pid_t, _ exit: Exit) {
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            Watchdog.shared.isGone(id)
            let signal = status & 0x7F
            exit.set(signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
        }
    }
}

/// A finished run of a command.
struct Run {
    var code: Int32
    var output: String
    var errors: String

    /// Runs a command to its end.
    static func aladdin(_ arguments: String..., environment: [String: String] = [:]) async throws -> Run {
        try await command(Executable.path, arguments, environment: environment)
    }

    static func aladdin(_ arguments: [String], environment: [String: String] = [:]) async throws -> Run {
        try await command(Executable.path, arguments, environment: environment)
    }

    static func command(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) async throws -> Run {
        let process = ServiceProcess(executable: executable, arguments, environment: environment)
        let code = try await process.exitCode()
        await process.readToEnd()
        return Run(code: code, output: process.output.text, errors: process.errors.text)
    }

    func json() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(object as? [String: Any], "not a JSON object: \(output)")
    }
}
