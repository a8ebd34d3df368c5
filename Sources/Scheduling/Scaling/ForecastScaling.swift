package import ServingModel

/// Scales by a forecast of the offered work and by that forecast's own errors.
///
/// `N = upper forecast at (start-up time + 15 s) · 1/(1 − c3/T) / utilisation`. The start-up time is learnt. It grows at
/// once and shrinks to the largest wish of the last `patience`, and only by enough to matter. A change of the arrival
/// rate or of the work per query (CUSUM) widens the margin for two minutes, for then past errors say little. Work that
/// waits beyond what queries usually wait is made up for within 30 s. Never fewer than the reserve for bursts that forecasts
/// did not see coming, see `DemandReserve`.
package struct ForecastScaling: ScalingPolicy {
    /// The set point: how busy workers are meant to be, as a share of their mean-field capacity.
    package var utilisation: Double
    package var limits: ScalingLimits
    /// Relative shrinkage below which it is not worth draining a worker.
    package var shrinkBand = 0.03
    /// Added to the margin after a change.
    package var changeMargin = 0.15
    /// Whether workers are kept for bursts out of nothing.
    package var keepsReserve = true

    private static let noticeTime = Interval.seconds(15)
    private static let changeTime = Interval.seconds(120)
    /// Seconds of the fleet's work that may wait without being a backlog, and in which more than that is made up for.
    private static let usualWait = 2.0
    private static let catchUpTime = 30.0
    /// Weight of a new start-up time.
    private static let startUpWeight = 0.3

    package private(set) var startUp: Interval
    private var forecast: DemandForecast
    private var recent: RecentMaximum
    private var arrivals = ChangeDetector(dispersion: 1)
    private var sizes = ChangeDetector()
    private var changedAt: Instant?

    package init(
        utilisation: Double = 0.95,
        startUp: Interval = .seconds(30),
        patience: Interval = .seconds(60),
        limits: ScalingLimits = ScalingLimits()
    ) {
        precondition(utilisation > 0, "utilisation is a positive share")
        self.utilisation = utilisation
        self.limits = limits
        self.startUp = startUp
        forecast = DemandForecast(horizon: startUp + Self.noticeTime)
        recent = RecentMaximum(window: patience)
    }

    package mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
        learnStartUp(observation.startUpTimes)
        detectChange(observation, at: now)
        forecast.observe(work: observation.offeredWork, at: now)
        let outlook = forecast.forecast(at: now)
        let widened = changedAt.map { now - $0 < Self.changeTime } ?? false
        let expected = outlook.expected * (1 + outlook.margin + (widened ? changeMargin : 0))
        let demand = max(expected, keepsReserve ? outlook.reserve : 0)
        let fleet = Double(observation.activeWorkers) / observation.workersPerWork
        let backlog = max(0, observation.waitingWork - fleet * Self.usualWait) / Self.catchUpTime
        let ideal = (demand + backlog) * observation.workersPerWork / utilisation
        let growth: ScalingReason =
            ideal > Double(limits.most) ? .limit : backlog > 0 ? .backlog : demand > expected ? .reserve : .demand
        return settle(limits.workers(ideal), observation, growth, at: now)
    }

    private mutating func settle(
        _ wanted: Int,
        _ observation: FleetObservation,
        _ growth: ScalingReason,
        at now: Instant
    ) -> ScalingWish {
        let committed = observation.committedWorkers
        let held = recent.add(wanted, at: now)
        // Growing follows the wish of this moment; what was wished a minute ago only delays shrinking.
        if wanted >= committed, growth == .limit || growth == .reserve {
            return ScalingWish(workers: wanted, reason: growth)
        }
        if wanted >= committed { return limits.wish(wanted, from: committed, up: growth) }
        let worthwhile = max(1, Int((Double(committed) * shrinkBand).rounded(.up)))
        if committed - held >= worthwhile { return limits.wish(held, from: committed) }
        return ScalingWish(workers: min(max(committed, limits.least), limits.most), reason: .lingering)
    }

    private mutating func learnStartUp(_ times: [Interval]) {
        for time in times {
            let old = startUp.seconds
            startUp = .seconds(rounding: old + Self.startUpWeight * (time.seconds - old))
        }
        if !times.isEmpty { forecast.horizon = startUp + Self.noticeTime }
    }

    private mutating func detectChange(_ observation: FleetObservation, at now: Instant) {
        if arrivals.observe(Double(observation.arrivedQueries)) != nil { changedAt = now }
        guard observation.arrivedQueries > 0 else { return }
        if sizes.observe(observation.offeredWork / Double(observation.arrivedQueries)) != nil { changedAt = now }
    }
}
