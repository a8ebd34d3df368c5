internal import Logging
internal import Synchronization

/// The level from which on this process logs; it may change while it runs.
final class LogLevel: Sendable {
    static let shared = LogLevel()

    private let level = Mutex(Logger.Level.info)

    var value: Logger.Level {
        get { level.withLock { $0 } }
        set { level.withLock { $0 = newValue } }
    }
}

/// Logs to standard error from the process's level on, or from one of its own.
struct ProcessLogHandler: LogHandler {
    private var base: StreamLogHandler
    private var ownLevel: Logger.Level?

    init(label: String) {
        base = StreamLogHandler.standardError(label: label)
        base.logLevel = .trace
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? LogLevel.shared.value }
        set { ownLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        base.log(event: event)
    }
}
