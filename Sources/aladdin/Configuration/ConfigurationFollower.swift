internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import ServiceSettings
internal import UnixSignals
internal import ZeroMQ

/// Takes over what changes in the configuration file: looks at it once a second, and at once on SIGHUP.
///
/// A file that is wrong changes nothing and is complained about, each fault once. It works on a thread of its own.
actor ConfigurationFollower: Service {
    private nonisolated let loop = PollLoop(name: "configuration")
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// What tells one state of the file from another.
    private struct Mark: Hashable {
        var inode: UInt64
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private let command: String
    private let arguments: [String]
    private let logger: Logger
    private let apply: @Sendable () async throws -> Void
    private let path: String
    private var sources: SettingSources
    private var seen: Mark?

    /// - Parameters:
    ///   - command: whose settings count.
    ///   - apply: takes over what `Setting` says then; if it throws nothing may have changed.
    /// - Returns: nil if there is no file to follow.
    init?(_ command: String, logger: Logger, apply: @escaping @Sendable () async throws -> Void) {
        guard let file = Setting.sources.file else { return nil }
        self.command = command
        self.logger = logger
        self.apply = apply
        arguments = Array(CommandLine.arguments.dropFirst(2))
        path = file.path
        sources = Setting.sources
        seen = Self.mark(of: path)
    }

    nonisolated func run() async throws {
        loop.start()
        await withGracefulShutdownHandler {
            await withTaskGroup { group in
                group.addTask { await self.heedSignals() }
                group.addTask { await self.watch() }
                try? await gracefulShutdown()
                group.cancelAll()
            }
        } onGracefulShutdown: {
        }
        await loop.stop()
    }

    private nonisolated func heedSignals() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { await look(isAsked: true) }
    }

    private nonisolated func watch() async {
        while !Task.isCancelled {
            await look(isAsked: false)
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func look(isAsked: Bool) async {
        let mark = Self.mark(of: path)
        guard isAsked || mark != seen else { return }
        seen = mark
        do {
            var newer = sources
            newer.file = try ConfigurationFile.load(path)
            let faults = newer.faults(of: command, arguments)
            guard faults.isEmpty else { throw ConfigurationFaults(faults) }
            try await Setting.$sources.withValue(newer) { try await apply() }
            tellChanges(to: newer)
            sources = newer
        } catch {
            for line in "\(error)".split(separator: "\n") {
                logger.error("configuration not taken over; what was in force stays", metadata: ["error": "\(line)"])
            }
        }
    }

    private func tellChanges(to newer: SettingSources) {
        var changes: [String] = []
        for setting in SettingTable.all where setting.commands.contains(command) {
            let value = newer.effective(setting, arguments).text
            guard value != sources.effective(setting, arguments).text else { continue }
            changes.append(setting.name)
            guard !setting.isReloadable else { continue }
            logger.warning("a changed setting takes effect at the next start", metadata: ["setting": "\(setting.name)"])
        }
        logger.notice("configuration read again", metadata: ["changed": "\(changes.joined(separator: ", "))"])
    }

    private static func mark(of path: String) -> Mark? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Mark(
            inode: UInt64(status.st_ino),
            size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec
        )
    }
}
