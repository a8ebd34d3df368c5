package import Logging
internal import Messages
package import Scheduling
internal import ServiceLifecycle
package import ServingModel
internal import Sessions
package import ZeroMQ

/// The scheduler process: a session with the broker around the pure `Scheduler`.
///
/// Call `run()` once, in a task of your own. All state is soft: when the session is lost it is forgotten, and the next
/// one begins with a snapshot. The newest scheduler that connects is the one that is heard.
package actor SchedulerService: Service {
    package nonisolated let loop: PollLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private static let insightInterval = Interval.seconds(1)
    /// With the longest explanations there can be, so many stay below the limit of a message's body.
    private static let placementsPerMessage = 256

    private var configuration: SchedulerServiceConfiguration
    private let logger: Logger
    private let connection: PeerConnection
    private var scheduler: Scheduler
    private var times = DecisionTimes()
    private var nextEvent: UInt64 = 1
    /// The stream of the latest registration in this session.
    private var stream: UInt64 = 0
    /// Whether to wait for its turn: always but the first time, since whoever leads by then should go on.
    private var standsBy: Bool
    private var lookAgain = Instant.distantFuture
    private var nextInsight = Instant.zero
    private var scaling: FleetScaling?
    private var nextWishes = Instant.zero

    /// - Throws: a `Status` if the policy's name is not known, or that of the scaling policy.
    package init(configuration: SchedulerServiceConfiguration, logger: Logger) throws(Status) {
        let policy = try Self.policy(of: configuration)
        scaling = try Self.scaling(of: configuration)
        self.configuration = configuration
        self.logger = logger
        loop = PollLoop(name: "scheduler", on: configuration.thread)
        standsBy = configuration.standsBy
        scheduler = Scheduler(policy: policy, explains: true)
        connection = PeerConnection(
            address: configuration.brokerEndpoint,
            hello: Hello(software: "aladdin/\(Version.current)", name: "scheduler"),
            keys: configuration.keys,
            logger: logger
        )
    }

    package nonisolated func run() async throws {
        loop.start()
        try await serve()
    }

    private func serve() async throws {
        do {
            try connect()
        } catch {
            await loop.stop()
            throw error
        }
        try? await gracefulShutdown()
        connection.close(Status(.unavailable, .shuttingDown, "the scheduler shuts down"))
        await loop.stop()
    }

    private static func policy(of configuration: SchedulerServiceConfiguration) throws(Status) -> any PlacementPolicy {
        do {
            return try PolicyCatalog.make(configuration.policy, seed: configuration.seed)
        } catch {
            throw Status(.invalidArgument, .unsupported, error.message)
        }
    }

    private static func scaling(of configuration: SchedulerServiceConfiguration) throws(Status) -> FleetScaling? {
        guard let name = configuration.scaling else { return nil }
        let limits = configuration.scalingLimits
        do {
            return try FleetScaling(policy: name, limits: limits, startUp: configuration.workerStartUp)
        } catch {
            throw Status(.invalidArgument, .unsupported, error.message)
        }
    }

    /// Goes by another policy, other wishes, or both, from now on.
    ///
    /// It begins with a new snapshot of the cluster; what was learnt of step times and lengths stays.
    ///
    /// - Throws: a `Status` if there is no such policy; then nothing has changed.
    package func reconfigure(
        policy: String,
        scaling: String?,
        limits: ScalingLimits,
        startUp: Interval
    ) throws(Status) {
        var changed = configuration
        changed.policy = policy
        changed.scaling = scaling
        changed.scalingLimits = limits
        changed.workerStartUp = startUp
        let newPolicy = try Self.policy(of: changed)
        let newScaling = try Self.scaling(of: changed)
        let isOtherPolicy = policy != configuration.policy
        let isOtherScaling =
            scaling != configuration.scaling || limits != configuration.scalingLimits
            || startUp != configuration.workerStartUp
        guard isOtherPolicy || isOtherScaling else { return }
        configuration = changed
        if isOtherScaling { self.scaling = newScaling }
        guard connection.isOpen else { return }
        if stream > 0, nextEvent == 1 {
            connection.send(.cancel, method: .schedule, stream: stream)
        }
        // Whoever leads goes on leading; whoever stood by does so with its new policy.
        register(asStandby: nextEvent == 1 && standsBy) { $0.restart(with: newPolicy) }
        loop.wake()
    }

    private func connect() throws(ZeroMQError) {
        let connection = self.connection
        try connection.start(on: loop) { [unowned self] event in assumeIsolated { $0.brokerSent(event) } }
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
    }

    private func brokerSent(_ event: PeerConnection.Event) {
        switch event {
        case .opened:
            stream = 0
            register()
        case .lost(let status):
            forget()
            logger.warning("session lost", metadata: ["why": "\(status.message)"])
        case .frame(let header, _) where header.stream != stream:
            break
        case .frame(let header, let body) where header.kind == .item:
            hear(body)
        case .frame(_, let body):
            let status = (try? body.decoded(as: Status.self)) ?? Status(.unknown)
            forget()
            guard status.reason != .superseded else {
                logger.warning("another scheduler has taken over")
                register()
                return
            }
            logger.error("the broker ended the stream", metadata: ["why": "\(status.message)"])
            connection.restart(status)
        }
    }

    private func forget() {
        scheduler.reset()
        scaling?.reset()
    }

    private func register() {
        register(asStandby: standsBy) { $0.reset() }
    }

    private func register(asStandby isStandby: Bool, _ begin: (inout Scheduler) -> Void) {
        begin(&scheduler)
        scaling?.reset()
        nextEvent = 1
        stream += 1
        let registration = SchedulerReport.registration(policy: configuration.policy, isStandby: isStandby)
        connection.send(.call, method: .schedule, stream: stream, registration)
        logger.info(isStandby ? "standing by" : "scheduling", metadata: ["policy": "\(configuration.policy)"])
        standsBy = true
    }

    private func hear(_ body: FrameBody) {
        guard let message = try? body.decoded(as: ClusterEvents.self), message.firstNumber == nextEvent else {
            logger.error("events were lost; starting over from a snapshot")
            connection.restart(Status(.dataLoss, .protocolViolation, "events do not follow each other"))
            return
        }
        nextEvent += UInt64(message.events.count)
        let now = PollLoop.now()
        Self.apply(message.events, to: &scheduler, &scaling, at: now)
        lookAgain = .zero
    }

    /// Apart from the service, whose parts would be copied to be shown to each other.
    private static func apply(
        _ events: [ClusterEvent],
        to scheduler: inout Scheduler,
        _ scaling: inout FleetScaling?,
        at now: Instant
    ) {
        for event in events {
            scaling?.apply(event, before: scheduler.view, at: now)
            scheduler.apply(event, at: now)
        }
    }

    private func cycle(at now: Instant) -> Instant {
        if now >= lookAgain { decide(at: now) }
        if now >= nextInsight {
            nextInsight = now + Self.insightInterval
            tellInsight()
        }
        if scaling != nil, now >= nextWishes {
            nextWishes = now + FleetScaling.tick
            tellWishes(at: now)
        }
        return min(connection.cycle(at: now), min(lookAgain, nextInsight))
    }

    private func decide(at now: Instant) {
        let decision = scheduler.decide(at: now)
        lookAgain = decision.lookAgain ?? .distantFuture
        guard !decision.placements.isEmpty else { return }
        times.add(PollLoop.now() - now, decisions: decision.placements.count)
        var rest = decision.placements[...]
        while !rest.isEmpty {
            let report = SchedulerReport.placements(Array(rest.prefix(Self.placementsPerMessage)))
            connection.send(.item, method: .schedule, stream: stream, report)
            rest = rest.dropFirst(Self.placementsPerMessage)
        }
    }

    private func tellInsight() {
        // A standby has learnt nothing that the leader does not know better.
        guard connection.isOpen, nextEvent > 1 else { return }
        let insight = Insight(
            workers: scheduler.view.workers.map { worker in
                WorkerInsight(
                    worker: worker.id,
                    profile: worker.estimator.profile,
                    stepError: worker.estimator.errors.magnitude,
                    stepBias: worker.estimator.errors.bias,
                    steps: worker.estimator.steps
                )
            },
            decisions: times.count,
            decisionP50Microseconds: times.microseconds(atQuantile: 0.5),
            decisionP99Microseconds: times.microseconds(atQuantile: 0.99)
        )
        connection.send(.item, method: .schedule, stream: stream, SchedulerReport.insight(insight))
    }

    private func tellWishes(at now: Instant) {
        guard connection.isOpen, let wishes = scaling?.wishes(in: scheduler.view, at: now), !wishes.isEmpty else {
            return
        }
        connection.send(.item, method: .schedule, stream: stream, SchedulerReport.wishes(wishes))
    }
}
