package import EngineInterface
package import Logging
internal import Messages
internal import ServiceLifecycle
internal import ServingModel
internal import Sessions
package import ZeroMQ

/// A worker process: one engine, its thread, and a session with the broker.
///
/// Call `run()` once, in a task of your own. It loads the engine, registers, serves until a graceful shutdown, then
/// drains. While the broker is away it keeps trying; a new session starts with nothing.
package actor WorkerService: Service {
    package nonisolated let loop: PollLoop
    /// For tasks that have little to do but to wait for what happens on the loop.
    let taskExecutor: LoopTaskExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private enum Kind: Sendable {
        /// It computes the steps that the worker decides.
        case stepping(EngineRunner)
        /// It batches for itself.
        case streaming(any StreamingEngine)
    }

    let configuration: WorkerServiceConfiguration
    private let engine: Kind
    let logger: Logger
    /// The books of an engine that computes steps, or of one that batches for itself: never both.
    // Not checked while it is accessed, which every query causes a few times: it is changed on the loop's thread, and calls
    // nobody.
    @exclusivity(unchecked) var machine: WorkerMachine?
    var streams: StreamMachine?
    /// What a streaming engine has told, until the loop looks.
    let mailbox = EngineMailbox()
    /// The tasks that answer queries on a streaming engine.
    var answers: [SequenceID: Task<Void, Never>] = [:]
    var connection: PeerConnection?
    var isRegistered = false
    /// Whether there is an engine to register.
    var isReady = false
    /// Whether to register when the engine's turn has ended.
    var registersLater = false
    private var isStopping = false
    private var isEnding = false
    /// Resumed when there may be something for the engine to do.
    private var idle: CheckedContinuation<Void, Never>?
    /// Resumed when the last lease is gone, or the time for that is over.
    private var drained: CheckedContinuation<Void, Never>?
    private var drainDeadline = Instant.distantFuture
    /// When an engine that is still at work counts as hanging.
    private var hangDeadline = Instant.distantFuture
    private var isDriving = false
    private var isLeftBehind = false
    /// Resumed when the engine has come back from its last step, or is left behind.
    private var engineEnded: CheckedContinuation<Void, Never>?
    /// Why the broker does not want this worker.
    var refusal: Status?
    var refused: CheckedContinuation<Void, Never>?
    /// What this worker registers as its exchange; empty if it leaves and takes no KV caches.
    var exchangeName = ""
    /// When to look next whether KV caches were taken, and when to look for leftovers.
    var nextTidying = Instant.zero
    var nextSweep = Instant.zero

    /// - Parameter makeEngine: called once, on the engine's thread; what it throws ends `run`.
    package init(
        configuration: WorkerServiceConfiguration,
        logger: Logger,
        makeEngine: @escaping @Sendable () throws -> any Engine
    ) {
        self.configuration = configuration
        self.logger = logger
        loop = PollLoop(name: "worker-io", on: configuration.thread)
        taskExecutor = LoopTaskExecutor(loop)
        engine = .stepping(
            EngineRunner(
                name: "worker-engine",
                exchange: configuration.exchange,
                busyPoll: configuration.engineBusyPoll,
                makeEngine: makeEngine
            )
        )
    }

    /// A worker over an engine that batches for itself, and that may come and go.
    package init(configuration: WorkerServiceConfiguration, logger: Logger, engine: any StreamingEngine) {
        self.configuration = configuration
        self.logger = logger
        loop = PollLoop(name: "worker-io", on: configuration.thread)
        taskExecutor = LoopTaskExecutor(loop)
        self.engine = .streaming(engine)
    }

    package nonisolated func run() async throws {
        loop.start()
        try await serve()
    }

    private func serve() async throws {
        do {
            try await prepare()
        } catch {
            await stop()
            throw error
        }
        await work()
        await stop()
        try checkRefusal()
    }

    private func prepare() async throws {
        guard case .stepping(let runner) = engine else {
            watchMailbox()
            return
        }
        runner.start()
        let description = try await runner.load()
        try description.validate()
        logger.info(
            "engine ready",
            metadata: ["worker": "\(configuration.name)", "model": "\(description.model)"]
        )
        let handover = await runner.handover
        exchangeName = handover?.exchange ?? ""
        machine = WorkerMachine(
            description: description,
            mode: configuration.batching,
            handoverBytes: handover == nil ? 0 : configuration.exchangeBytes,
            bytesPerToken: handover?.bytesPerToken ?? 0
        )
        isReady = true
        try connect()
    }

    /// Serves until the end, then drains.
    private func work() async {
        await withTaskGroup { group in
            switch engine {
            case .stepping(let runner):
                isDriving = true
                // No child: nobody waits for one that is left behind.
                Task {
                    await self.driveEngine(runner)
                    self.noteEngineEnd()
                }
            case .streaming(let engine):
                let mailbox = mailbox
                group.addTask { await engine.watch { mailbox.put(.condition($0)) } }
            }
            await waitForEnd()
            await drain()
            stopDriving()
            hangDeadline = PollLoop.now() + .seconds(5)
            group.cancelAll()
        }
        await withCheckedContinuation { waiter in
            if isDriving { engineEnded = waiter } else { waiter.resume() }
        }
        hangDeadline = .distantFuture
        await endAnswers()
        clearExchange()
        connection?.close(Status(.unavailable, .shuttingDown, "the worker shuts down"))
    }

    private func stop() async {
        if case .stepping(let runner) = engine, !isLeftBehind {
            await runner.unload()
            await runner.stop()
        }
        await loop.stop()
    }

    private func checkRefusal() throws(Status) {
        if let refusal { throw refusal }
    }

    /// Returns on a graceful shutdown, or when the broker has refused this worker for good.
    private func waitForEnd() async {
        await withTaskGroup { group in
            group.addTask { try? await gracefulShutdown() }
            group.addTask { await self.waitForRefusal() }
            await group.next()
            // The other child may not even have begun to wait.
            isEnding = true
            refused?.resume()
            refused = nil
            group.cancelAll()
        }
    }

    private func waitForRefusal() async {
        guard refusal == nil, !isEnding else { return }
        // Asked anew: beginning to wait may take its turn behind others.
        await withCheckedContinuation { waiter in
            if refusal == nil, !isEnding { refused = waiter } else { waiter.resume() }
        }
    }

    func cycle(at now: Instant) -> Instant {
        let streamsDue = min(driveStreams(at: now), driveHandovers(at: now))
        if drained != nil, leases == 0 || now >= drainDeadline || !isRegistered {
            drained?.resume()
            drained = nil
        }
        if now >= hangDeadline {
            hangDeadline = .distantFuture
            endWithoutEngine()
        }
        return min(connection?.cycle(at: now) ?? .distantFuture, drainDeadline, min(hangDeadline, streamsDue))
    }

    private func endWithoutEngine() {
        if case .awaited = configuration.hangingEngine { return }
        logger.error("the engine does not come back from its step; this worker ends without it")
        switch configuration.hangingEngine {
        case .awaited: break
        case .leftBehind:
            isLeftBehind = true
            noteEngineEnd()
        case .ends(let end): end()
        }
    }

    private func noteEngineEnd() {
        isDriving = false
        engineEnded?.resume()
        engineEnded = nil
    }

    private var leases: Int { machine?.count ?? streams?.count ?? 0 }
}

extension WorkerService {
    /// One engine turn after the other for as long as the worker lives.
    private func driveEngine(_ runner: EngineRunner) async {
        while !isStopping {
            guard let turn = machine?.nextTurn() else {
                await withCheckedContinuation { waiter in
                    if isStopping { waiter.resume() } else { idle = waiter }
                }
                continue
            }
            let result = await runner.run(turn)
            guard !isLeftBehind else { return }
            if case .failure(let status)? = result.outputs {
                logger.warning("a step failed", metadata: ["why": "\(status.message)"])
            }
            machine?.turnEnded(turn, result)
            if registersLater { register() }
            _ = machine?.noteHandovers(at: PollLoop.now())
            report(computed: turn.step.map { ($0.workload, result.duration) })
        }
    }

    /// The streaming engine, if it is one.
    var streamingEngine: (any StreamingEngine)? {
        if case .streaming(let engine) = engine { engine } else { nil }
    }

    func wakeEngine() {
        idle?.resume()
        idle = nil
    }

    private func stopDriving() {
        isStopping = true
        wakeEngine()
    }

    /// Takes nothing new and waits for what runs, within bounds.
    private func drain() async {
        machine?.drain()
        streams?.drain()
        guard isRegistered, leases > 0 else { return }
        logger.info("draining", metadata: ["queries": "\(leases)"])
        connection?.send(.item, method: .work, stream: 1, body: WorkerReport.drain.encode())
        drainDeadline = PollLoop.now() + configuration.drainTime
        await withCheckedContinuation { waiter in
            if isRegistered, leases > 0 { drained = waiter } else { waiter.resume() }
        }
        drainDeadline = .distantFuture
    }
}
