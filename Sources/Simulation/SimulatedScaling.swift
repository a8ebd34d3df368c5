package import Scheduling
package import ServingModel

/// A fleet that follows a scaling policy.
package struct SimulatedScaling: Sendable {
    package var policy: any ScalingPolicy
    /// From the wish for a worker until it serves.
    package var startUpTime: Interval
    /// How often the policy is asked.
    package var tick: Interval
    /// How fast the workers are that it starts; nil: as the first of the fleet.
    package var profile: LatencyProfile?
    /// What they register with, if that is not how fast they are.
    package var believed: LatencyProfile?
    /// What the share of a worker that can be sold is computed for.
    package var objective: ServiceLevelObjective
    /// What the policy is told of a worker's rate: see `FleetObservation.ratePerWorker`.
    package var ratePerWorker: Double?

    package init(
        policy: any ScalingPolicy,
        startUpTime: Interval = .seconds(30),
        tick: Interval = .seconds(1),
        profile: LatencyProfile? = nil,
        believed: LatencyProfile? = nil,
        objective: ServiceLevelObjective = .standard,
        ratePerWorker: Double? = nil
    ) {
        precondition(tick > .zero && startUpTime >= .zero, "time goes forward")
        self.policy = policy
        self.startUpTime = startUpTime
        self.tick = tick
        self.profile = profile
        self.believed = believed
        self.objective = objective
        self.ratePerWorker = ratePerWorker
    }
}

/// Asks a scaling policy, tick by tick, with what was observed since the last time.
struct FleetScaler: Sendable {
    /// Ticks without any event but themselves after which the simulation is over.
    private static let patience = 600

    private(set) var setup: SimulatedScaling
    let profile: LatencyProfile
    /// Nil when it has given up.
    private(set) var nextTick: Instant?
    var meter: FleetMeter
    private var stuckTicks = 0

    /// - Parameter prototype: the profile of new workers if the setup has none.
    init(_ setup: SimulatedScaling, prototype: LatencyProfile?) {
        guard let profile = setup.profile ?? prototype else {
            preconditionFailure("a fleet that begins without workers needs a profile for new ones")
        }
        self.setup = setup
        self.profile = profile
        nextTick = .zero + setup.tick
        meter = FleetMeter(
            capacity: MeanFieldCapacity(
                profile: setup.believed ?? profile,
                averageTokenTime: setup.objective.averageTokenTime
            ),
            ratePerWorker: setup.ratePerWorker,
            window: max(1, Int(60 / setup.tick.seconds))
        )
    }

    mutating func wish(at now: Instant, isStuck: Bool) -> ScalingWish {
        stuckTicks = isStuck ? stuckTicks + 1 : 0
        nextTick = stuckTicks < Self.patience ? now + setup.tick : nil
        return setup.policy.desiredWorkers(meter.takeObservation(), at: now)
    }
}
