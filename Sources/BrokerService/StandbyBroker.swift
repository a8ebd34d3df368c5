package import Brokering
internal import Foundation
package import Journal
package import Logging
internal import ServiceLifecycle

/// A broker beside others on one journal: it leads when nobody else does, and stands by again when it has lost the lead.
///
/// While it stands by it listens nowhere, so that peers find only the broker that leads. Call `run()` once, in a task of
/// your own; it returns after a graceful shutdown.
package actor StandbyBroker: Service {
    private var configuration: BrokerServiceConfiguration
    private let logger: Logger
    private let makeJournal: @Sendable () -> PostgreSQLJournal
    private var leading: BrokerService?

    /// - Parameter makeJournal: called for each time that this broker tries to lead.
    package init(
        configuration: BrokerServiceConfiguration,
        logger: Logger,
        makeJournal: @escaping @Sendable () -> PostgreSQLJournal
    ) {
        self.configuration = configuration
        self.logger = logger
        self.makeJournal = makeJournal
    }

    /// - Throws: `JournalFailure` if the journal can't be used; what `BrokerService.run` throws.
    package func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let journal = makeJournal()
            guard let recovery = try await standBy(journal) else { return }
            for warning in journal.warnings { logger.warning("\(warning)") }
            do {
                try await lead(journal, recovery)
                return
            } catch let failure as JournalFailure where failure.leavesLead {}
        }
    }

    /// Takes over objectives and limits; for queries that arrive from now on.
    package func reconfigure(_ other: BrokerConfiguration) async {
        configuration.broker = configuration.broker.adopting(other)
        await leading?.reconfigure(other)
    }

    private func lead(_ journal: PostgreSQLJournal, _ recovery: Recovery) async throws {
        do {
            let broker = try BrokerService(
                configuration: configuration,
                journal: journal,
                recovery: recovery,
                logger: logger
            )
            leading = broker
            defer { leading = nil }
            try await broker.run()
        } catch {
            await Self.onThread { journal.close() }
            throw error
        }
    }

    /// - Returns: nil if the wait was given up.
    private func standBy(_ journal: PostgreSQLJournal) async throws -> Recovery? {
        let logger = logger
        let outcome = await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await Self.onThread {
                    Result { () throws(JournalFailure) in
                        try journal.standBy { logger.notice("standing by", metadata: ["why": "\($0)"]) }
                    }
                }
            } onGracefulShutdown: {
                journal.giveUp()
            }
        } onCancel: {
            journal.giveUp()
        }
        guard !Task.isShuttingDownGracefully, !Task.isCancelled else {
            await Self.onThread { journal.close() }
            return nil
        }
        return try outcome.get()
    }

    /// What waits for a database must not wait on Swift's cooperative pool.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}
