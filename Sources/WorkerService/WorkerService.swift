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
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let configuration: WorkerServiceConfiguration
    private let runner: EngineRunner
    private let logger: Logger
    private var machine: WorkerMachine?
    private var connection: PeerConnection?
    private var isRegistered = false
    /// Whether to register when the engine's turn has ended.
    private var registersLater = false
    private var isStopping = false
    private var isEnding = false
    /// Resumed when there may be something for the engine to do.
    private var idle: CheckedContinuation<Void, Never>?
    /// Resumed when the last lease is gone, or the time for that is over.
    private var drained: CheckedContinuation<Void, Never>?
    private var drainDeadline = Instant.distantFuture
    /// When an engine that is still at work counts as hanging.
    private var hangDeadline = Instant.distantFuture
    /// Why the broker does not want this worker.
    private var refusal: Status?
    private var refused: CheckedContinuation<Void, Never>?

    /// - Parameter makeEngine: called once, on the engine's thread; what it throws ends `run`.
    package init(
        configuration: WorkerServiceConfiguration,
        logger: Logger,
        makeEngine: @escaping @Sendable () throws -> any Engine
    ) {
        self.configuration = configuration
        self.logger = logger
        loop = PollLoop(name: "worker-io")
        runner = EngineRunner(name: "worker-engine", makeEngine: makeEngine)
    }

    package nonisolated func run() async throws {
        loop.start()
        runner.start()
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
        let description = try await runner.load()
        try description.validate()
        logger.info(
            "engine ready",
            metadata: ["worker": "\(configuration.name)", "model": "\(description.model)"]
        )
        try connect(description)
    }

    /// Serves until the end, then drains.
    private func work() async {
        await withTaskGroup { group in
            group.addTask { await self.driveEngine() }
            await waitForEnd()
            await drain()
            stopDriving()
            hangDeadline = PollLoop.now() + .seconds(5)
        }
        hangDeadline = .distantFuture
        connection?.close(Status(.unavailable, .shuttingDown, "the worker shuts down"))
    }

    private func stop() async {
        await runner.unload()
        await runner.stop()
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
        await withCheckedContinuation { refused = $0 }
    }

    private func connect(_ description: EngineDescription) throws(ZeroMQError) {
        machine = WorkerMachine(description: description, mode: configuration.batching)
        let connection = PeerConnection(
            address: configuration.brokerEndpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: configuration.name),
            keys: configuration.keys,
            logger: logger
        )
        self.connection = connection
        try connection.start(on: loop) { [unowned self] event in assumeIsolated { $0.brokerSent(event) } }
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
    }

    private func brokerSent(_ event: PeerConnection.Event) {
        switch event {
        case .opened:
            // An engine that still computes for the last session, or hangs, takes nothing new.
            if machine?.isBusy == true { registersLater = true } else { register() }
        case .lost(let status):
            if isRegistered { logger.warning("session lost", metadata: ["why": "\(status.message)"]) }
            isRegistered = false
            registersLater = false
            machine?.reset()
            wakeEngine()
        case .frame(let header, let body) where header.kind == .item:
            obey(body)
        case .frame(_, let body):
            let status = (try? Status.decode(body)) ?? Status(.unknown)
            logger.error("the broker ended the work stream", metadata: ["why": "\(status.message)"])
            // What is wrong with a registration will be wrong with the next one.
            if status.code == .invalidArgument, !isRegistered {
                refusal = status
                refused?.resume()
                refused = nil
            } else {
                connection?.restart(status)
            }
        }
    }

    private func register() {
        guard let machine else { return }
        registersLater = false
        let registration = WorkerRegistration(
            name: configuration.name,
            engine: machine.description.kind,
            contextLength: machine.description.contextLength,
            resumesPrefix: machine.description.resumesPrefix,
            batching: configuration.batching,
            profile: {
                var profile = machine.description.profile
                profile.model = machine.description.model
                return profile
            }()
        )
        connection?.send(.call, method: .work, stream: 1, body: WorkerReport.registration(registration).encode())
    }

    private func obey(_ body: [UInt8]) {
        guard let command = try? WorkerCommand.decode(body) else {
            logger.error("the broker sent a command that cannot be read")
            return
        }
        switch command {
        case .registered:
            isRegistered = true
            report(computed: nil)
        case .batch(let assignments):
            for assignment in assignments { take(assignment) }
            wakeEngine()
        case .cancel(let leases):
            machine?.cancel(leases)
            report(computed: nil)
            wakeEngine()
        case .drain:
            machine?.drain()
        }
    }

    private func take(_ assignment: WireAssignment) {
        do throws(Status) {
            machine?.take(try WorkerQuery(assignment))
        } catch {
            machine?.refuse(assignment.lease, error)
            report(computed: nil)
        }
    }

    private func report(computed: (workload: StepWorkload, duration: Interval)?) {
        guard isRegistered, let reports = machine?.takeReports(computed: computed) else { return }
        for report in reports { connection?.send(.item, method: .work, stream: 1, body: report.encode()) }
    }

    private func cycle(at now: Instant) -> Instant {
        if drained != nil, machine?.count == 0 || now >= drainDeadline || !isRegistered {
            drained?.resume()
            drained = nil
        }
        if now >= hangDeadline, let ending = configuration.whenEngineHangs {
            hangDeadline = .distantFuture
            logger.error("the engine does not come back from its step; this worker ends without it")
            ending()
        }
        return min(connection?.cycle(at: now) ?? .distantFuture, drainDeadline, hangDeadline)
    }
}

extension WorkerService {
    /// One engine turn after the other for as long as the worker lives.
    private func driveEngine() async {
        while !isStopping {
            guard let turn = machine?.nextTurn() else {
                await withCheckedContinuation { idle = $0 }
                continue
            }
            let result = await runner.run(turn)
            if case .failure(let status)? = result.outputs {
                logger.warning("a step failed", metadata: ["why": "\(status.message)"])
            }
            machine?.turnEnded(turn, result)
            if registersLater { register() }
            report(computed: turn.step.map { ($0.workload, result.duration) })
        }
    }

    private func wakeEngine() {
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
        guard isRegistered, let machine, machine.count > 0 else { return }
        logger.info("draining", metadata: ["queries": "\(machine.count)"])
        connection?.send(.item, method: .work, stream: 1, body: WorkerReport.drain.encode())
        drainDeadline = PollLoop.now() + configuration.drainTime
        await withCheckedContinuation { drained = $0 }
        drainDeadline = .distantFuture
    }
}
