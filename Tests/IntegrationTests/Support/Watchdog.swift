internal import Foundation
internal import Synchronization

/// Kills what the tests started should they end without having done so themselves, by a crash for instance.
///
/// A shell reads the process groups that live from a pipe; when the pipe ends, so do they.
final class Watchdog: Sendable {
    static let shared = Watchdog()

    private let pipe = Mutex<Int32>(-1)

    private init() {
        let script = """
            groups=""
            while read -r sign group; do
                case "$sign" in
                +) groups="$groups $group" ;;
                -) groups=$(for g in $groups; do [ "$g" = "$group" ] || printf ' %s' "$g"; done) ;;
                esac
            done
            for g in $groups; do kill -KILL "-$g" 2>/dev/null; done
            """
        let ends = Spawn.pipe()
        let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
        _ = Spawn.process(
            "/bin/sh",
            ["-c", script],
            environment: ProcessInfo.processInfo.environment,
            input: ends.read,
            output: null,
            error: null
        )
        close(null)
        close(ends.read)
        pipe.withLock { $0 = ends.write }
    }

    func lives(_ group: pid_t) { tell("+ \(group)\n") }
    func isGone(_ group: pid_t) { tell("- \(group)\n") }

    private func tell(_ line: String) {
        pipe.withLock { pipe in _ = write(pipe, line, line.utf8.count) }
    }
}

/// posix_spawn, each process in a group of its own.
enum Spawn {
    /// Nothing may be spawned between a pipe's making and its ends being closed on exec: whoever inherits the writing end
    /// keeps the pipe open.
    private static let lock = Mutex(())

    static func pipe() -> (read: Int32, write: Int32) {
        lock.withLock { _ in
            var ends: [Int32] = [-1, -1]
            precondition(Foundation.pipe(&ends) == 0, "pipe: \(errno)")
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    static func process(
        _ path: String,
        _ arguments: [String],
        environment: [String: String],
        input: Int32,
        output: Int32,
        error: Int32
    ) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner may ignore or block signals; those it starts must not.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)

        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var id: pid_t = 0
        // A listener of the test itself must not live on in a child.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        let code = lock.withLock { _ in posix_spawn(&id, path, &actions, &attributes, words, variables) }
        precondition(code == 0, "cannot start \(path): \(String(cString: strerror(code)))")
        return id
    }
}
