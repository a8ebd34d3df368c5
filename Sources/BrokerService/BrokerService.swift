internal import AccessControl
package import Brokering
internal import Foundation
internal import Glibc
package import Journal
package import Logging
internal import Messages
internal import ServiceLifecycle
internal import ServingModel
internal import Sessions
package import ZeroMQ

/// The broker process: sockets, sessions and messages around the pure `Broker`.
///
/// Everything happens on one thread, its poll loop. A round of events (all that one poll brought) is told to the
/// machine first; then its actions are carried out together, so that a worker gets one batch and the scheduler one
/// message for it. Call `run()` once, in a task of your own; it returns after a graceful shutdown.
///
/// With a journal, what the journal must have before something is said is appended before anything of the round is sent;
/// a journal that fails ends the broker.
package actor BrokerService: Service {
    package nonisolated let loop: PollLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    let configuration: BrokerServiceConfiguration
    let logger: Logger
    let instance: String
    let started = PollLoop.now()
    // Of what every query goes through the accesses are not checked while they happen: all is done on the loop's thread,
    // and nothing here is called back from within a change.
    @exclusivity(unchecked) var broker: Broker
    @exclusivity(unchecked) var frontend: SessionEndpoint?
    var worker: SessionEndpoint?
    var scheduler: SessionEndpoint?
    var admin: SessionEndpoint?
    /// The one stream of each worker's session.
    var workStreams: [UInt64: UInt64] = [:]
    var scheduling: StreamKey?
    var policy = ""
    var insight: Insight?
    var insights: [WorkerID: WorkerInsight] = [:]
    /// When what was learnt of the workers last went beside the journal.
    var learntNoted = Instant.zero
    /// How many workers the scheduler wishes for.
    var fleets: [FleetWish] = []
    var nextEventNumber: UInt64 = 1
    @exclusivity(unchecked) var pendingEvents: [ClusterEvent] = []
    /// Of the open calls that are not of `Generate`.
    @exclusivity(unchecked) var methods: [StreamKey: Method] = [:]
    /// The thread that checks keys.
    var keyChecker: ZAPHandler?
    let refusals: RefusalLog
    /// Streams with news for sessions that have no room, in the order announced.
    var blockedStreams: [StreamKey] = []
    let journal: (any Journal)?
    let journalInbox = JournalInbox()
    var journalFigures = JournalFigures()
    var journalFailure: JournalFailure?
    var failureWaiter: CheckedContinuation<Void, Never>?
    var isEnding = false
    /// Those of the last round; kept for their memory.
    private var actions: [BrokerAction] = []
    /// Schedulers that wait their turn, in the order in which they came.
    var standbys: [(stream: StreamKey, policy: String)] = []
    private var addresses: BrokerAddresses?
    private var nextSession: UInt64 = 1
    private var random = RandomReserve()

    /// - Parameters:
    ///   - journal: where accepted queries survive; nil for a broker whose queries are all volatile.
    ///   - recovery: what the journal has, if it was asked already.
    /// - Throws: if the journal cannot be used.
    package init(
        configuration: BrokerServiceConfiguration,
        journal: (any Journal)? = nil,
        recovery: Recovery? = nil,
        logger: Logger
    ) throws(JournalFailure) {
        var configuration = configuration
        // Seconds since 1970 grow from one start to the next, so that no lease is handed out twice.
        configuration.broker.leaseEpoch = UInt32(truncatingIfNeeded: Self.unixMilliseconds() / 1000)
        self.configuration = configuration
        self.logger = logger
        loop = PollLoop(name: "broker", on: configuration.thread)
        refusals = RefusalLog(logger: logger)
        self.journal = journal
        var recovery = recovery
        if recovery == nil { recovery = try journal?.recover() }
        let now = PollLoop.now()
        broker = Broker(
            configuration: configuration.broker,
            recovery: recovery,
            wallClock: WallClock(unixMilliseconds: Int64(Self.unixMilliseconds()), at: now),
            at: now
        )
        if let recovery {
            logger.info(
                "journal open",
                metadata: ["unfinished": "\(recovery.queries.count)", "epoch": "\(recovery.epoch)"]
            )
        }
        instance =
            QueryID(
                unixMilliseconds: Self.unixMilliseconds(),
                random: (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
            ).description
    }

    /// Binds the four endpoints and serves until a graceful shutdown.
    ///
    /// - Throws: `ZeroMQError` if an endpoint cannot be bound; `SecurityFailure` if a safeguard is not in place.
    package nonisolated func run() async throws {
        loop.start()
        try await serve()
    }

    private func serve() async throws {
        do {
            let addresses = try bindAll()
            logger.info(
                "broker serves",
                metadata: [
                    "frontends": "\(addresses.frontend)", "workers": "\(addresses.worker)",
                    "schedulers": "\(addresses.scheduler)", "admin": "\(addresses.admin)",
                ]
            )
        } catch {
            await loop.stop()
            throw error
        }
        await waitForEnd()
        shutDown()
        await loop.stop()
        await closeJournal()
        if let journalFailure { throw journalFailure }
    }

    /// Returns on a graceful shutdown, on cancellation, or when the journal has failed.
    private func waitForEnd() async {
        await withTaskGroup { group in
            group.addTask { try? await gracefulShutdown() }
            group.addTask { await self.waitForFailure() }
            await group.next()
            stopWaitingForFailure()
            group.cancelAll()
        }
    }

    /// Closing waits for the disk, so it happens on a thread of its own.
    private func closeJournal() async {
        guard let journal else { return }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                journal.close()
                continuation.resume()
            }
        }
    }

    /// Binds the endpoints if that was not done yet; `run` does it too.
    ///
    /// - Returns: where they listen, ports chosen by the system filled in.
    @discardableResult
    package nonisolated func bind() async throws -> BrokerAddresses {
        loop.start()
        return try await bindAll()
    }

    /// Takes over objectives and limits; for queries that arrive from now on.
    package func reconfigure(_ other: BrokerConfiguration) {
        broker.reconfigure(other)
        tellLimits()
    }

    /// Has newcomers told of the limits that are settings.
    private func tellLimits() {
        frontend?.limits.openCalls = broker.configuration.maximumQueriesPerSession
        frontend?.limits.maxTokens = broker.configuration.maximumTokens
    }

    /// Closes what `bind` opened; for a broker that does not come to run.
    package nonisolated func close() async {
        await shutDown()
        await loop.stop()
        await closeJournal()
    }

    private func bindAll() throws -> BrokerAddresses {
        if let addresses { return addresses }
        do {
            return try bindChecked()
        } catch {
            keyChecker?.stop()
            throw error
        }
    }

    private func bindChecked() throws -> BrokerAddresses {
        try checkExposure()
        try startCheckingKeys()
        let frontend = try endpoint(
            configuration.frontendEndpoint,
            .frontend,
            [.generate, .attach, .listModels, .acknowledge, .cancelQuery]
        )
        let worker = try endpoint(configuration.workerEndpoint, .worker, [.work])
        let scheduler = try endpoint(configuration.schedulerEndpoint, .scheduler, [.schedule])
        let admin = try endpoint(configuration.adminEndpoint, .admin, [.getStatus, .explain])
        try probe([(.frontend, frontend), (.worker, worker), (.scheduler, scheduler), (.admin, admin)])
        (self.frontend, self.worker, self.scheduler, self.admin) = (frontend, worker, scheduler, admin)
        tellLimits()
        frontend.watch(on: loop) { [unowned self] input in assumeIsolated { $0.frontendSent(input) } }
        worker.watch(on: loop) { [unowned self] input in assumeIsolated { $0.workerSent(input) } }
        scheduler.watch(on: loop) { [unowned self] input in assumeIsolated { $0.schedulerSent(input) } }
        admin.watch(on: loop) { [unowned self] input in assumeIsolated { $0.adminSent(input) } }
        startJournal()
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.endRound(at: now) } }
        let bound = BrokerAddresses(
            frontend: frontend.address,
            worker: worker.address,
            scheduler: scheduler.address,
            admin: admin.address,
            inside: try bindInside()
        )
        addresses = bound
        return bound
    }

    func makeSessionNumber() -> UInt64 {
        defer { nextSession += 1 }
        return nextSession
    }

    /// Carries out what a round of events led to.
    private func endRound(at now: Instant) -> Instant {
        guard let frontend, let worker, let scheduler, let admin else { return .distantFuture }
        var next = frontend.cycle(at: now) { frontendSent($0) }
        next = min(next, worker.cycle(at: now) { workerSent($0) })
        next = min(next, scheduler.cycle(at: now) { schedulerSent($0) })
        next = min(next, admin.cycle(at: now) { adminSent($0) })
        hearJournal(at: now)
        // What cannot be kept is not acknowledged.
        guard mayAct() else { return .distantFuture }
        next = min(next, broker.tick(at: now))
        serveBlockedStreams()
        broker.takeActions(at: now, into: &actions)
        perform(actions)
        return next
    }

    private func shutDown() {
        let status = Status(.unavailable, .shuttingDown, "the broker shuts down", retryAfter: .seconds(1))
        for endpoint in [frontend, worker, scheduler, admin] { endpoint?.close(status) }
        frontend = nil
        worker = nil
        scheduler = nil
        admin = nil
        keyChecker?.stop()
        keyChecker = nil
    }

    func makeQueryID() -> QueryID {
        QueryID(unixMilliseconds: Self.unixMilliseconds(), random: (random.next(), random.next()))
    }

    private static func unixMilliseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
