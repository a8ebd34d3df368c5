internal import Glibc
package import Logging
internal import ServiceLifecycle
internal import ServingModel
internal import ZeroMQ

/// Keeps an `AccessTable` at the state of the registry on disk, so that revoking takes effect at once.
///
/// Call `run()` in a task of your own; it looks at the file once a second, on a thread of its own, until a graceful
/// shutdown. A file that cannot be read any more changes nothing, and is complained about.
package actor RegistryFollower: Service {
    private nonisolated let loop = PollLoop(name: "registry")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private static let interval = Interval.seconds(1)

    /// What tells one state of the file from another.
    private struct Mark: Hashable {
        var inode: UInt64
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private let directory: KeyDirectory
    private let table: AccessTable
    private let logger: Logger
    private var seen: Mark?
    private var complaint = ""
    private var next = Instant.zero

    package init(directory: KeyDirectory, table: AccessTable, logger: Logger) {
        self.directory = directory
        self.table = table
        self.logger = logger
    }

    package nonisolated func run() async throws {
        loop.start()
        await follow()
        try? await gracefulShutdown()
        await loop.stop()
    }

    private func follow() {
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
    }

    private func cycle(at now: Instant) -> Instant {
        guard now >= next else { return next }
        next = now + Self.interval
        table.noteExpiries()
        // Looked at before it is read: what is written in between is read again the next time.
        let mark = mark()
        guard mark != seen || mark == nil else { return next }
        do throws(AccessError) {
            table.replace(try directory.registry())
            if seen != nil || !complaint.isEmpty { logger.notice("keys read again") }
            seen = mark
            complaint = ""
        } catch {
            if complaint != error.message {
                logger.error("keys not read; those read last stay", metadata: ["error": "\(error)"])
            }
            complaint = error.message
        }
        return next
    }

    private func mark() -> Mark? {
        var status = stat()
        guard stat(directory.registryPath, &status) == 0 else { return nil }
        return Mark(
            inode: UInt64(status.st_ino),
            size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec
        )
    }
}
