internal import Foundation
internal import Glibc
internal import Synchronization

/// A program that is run to its end, with bounds on its time and on what of its output is kept.
struct Command: Sendable {
    static let outputLimit = 64 << 10

    var executable: String
    var arguments: [String]
    /// Added to this process's own.
    var environment: [String: String] = [:]
    var patience: Duration = .seconds(60)

    /// Runs it and returns what it wrote to its standard output.
    ///
    /// - Throws: `ActuationError` if it can't be run, fails, or takes longer than `patience` (it is killed then).
    func run() async throws -> String {
        try await withCheckedThrowingContinuation { outcome in
            Thread.detachNewThread { CommandRun.follow(self) { outcome.resume(with: $0) } }
        }
    }

    /// Its path, or its name if it is to be looked for; input is empty, signals are as usual, and its group is its own.
    ///
    /// - Throws: `ActuationError` if it can't be run.
    func spawn(output: CInt, errors: CInt) throws(ActuationError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        var id = pid_t()
        let code = Self.withStrings([executable] + arguments) { words in
            Self.withStrings(all.map { "\($0)=\($1)" }) { variables in
                posix_spawnp(&id, executable, &actions, &attributes, words, variables)
            }
        }
        guard code == 0 else { throw ActuationError("\(executable) can't be run: \(String(cString: strerror(code)))") }
        return id
    }

    private static func withStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// The exit status of a process, told once.
final class ExitSignal: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let state = Mutex(State())

    var status: Int32? { state.withLock { $0.status } }

    func raise(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
