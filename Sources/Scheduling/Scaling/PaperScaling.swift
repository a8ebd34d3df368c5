package import ServingModel

/// The paper's scaling: at every heartbeat as many workers as the arrival rate needs, `⌈R_upper/(u·r*)⌉`.
///
/// `R_upper = R + z·√(R/window)`, the upper end of a Poisson rate counted over the window. A change of the rate (CUSUM)
/// cuts the window to what came since. Fewer workers only after a while of fewer wishes. r* comes with the observation,
/// from `WorkerConfiguration.paperChoice`. Source: the paper's heartbeat reconfiguration; the formula is our reading.
package struct PaperScaling: ScalingPolicy {
    /// u, the set point: how much of a worker's rate r* is planned with.
    package var utilisation: Double
    /// z: standard deviations of the counted rate that are allowed for.
    package var deviations = 2.0
    /// r* where the observation has none.
    package var ratePerWorker: Double
    package var limits: ScalingLimits

    private static let shortestWindow = 5

    private let heartbeat: Interval
    private let window: Int
    private var nextHeartbeat: Instant?
    private var ticks: [(arrivals: Double, seconds: Double)] = []
    private var lastTick: Instant?
    private var detector = ChangeDetector(dispersion: 1)
    private var recent: RecentMaximum

    /// - Parameter window: ticks over which the rate is counted.
    package init(
        utilisation: Double = 0.8,
        ratePerWorker: Double,
        heartbeat: Interval = .seconds(5),
        window: Int = 60,
        patience: Interval = .seconds(60),
        limits: ScalingLimits = ScalingLimits()
    ) {
        precondition(utilisation > 0 && ratePerWorker > 0 && window > 0, "utilisation, rate and window are positive")
        self.utilisation = utilisation
        self.ratePerWorker = ratePerWorker
        self.heartbeat = heartbeat
        self.window = window
        self.limits = limits
        recent = RecentMaximum(window: patience)
    }

    package mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
        count(observation, at: now)
        let committed = observation.committedWorkers
        if let nextHeartbeat, now < nextHeartbeat { return limits.wish(committed, from: committed) }
        nextHeartbeat = now + heartbeat
        let wanted = limits.workers(upperRate / (utilisation * (observation.ratePerWorker ?? ratePerWorker)))
        let held = recent.add(wanted, at: now)
        if wanted >= committed { return limits.wish(wanted, from: committed) }
        if held < committed { return limits.wish(held, from: committed) }
        return ScalingWish(workers: min(max(committed, limits.least), limits.most), reason: .lingering)
    }

    /// The rate to plan for, in queries per second.
    private var upperRate: Double {
        let seconds = ticks.reduce(0) { $0 + $1.seconds }
        guard seconds > 0 else { return 0 }
        let rate = ticks.reduce(0) { $0 + $1.arrivals } / seconds
        return rate + deviations * (rate / seconds).squareRoot()
    }

    private mutating func count(_ observation: FleetObservation, at now: Instant) {
        let seconds = lastTick.map { (now - $0).seconds } ?? 1
        lastTick = now
        guard seconds > 0 else { return }
        ticks.append((Double(observation.arrivedQueries), seconds))
        if detector.observe(Double(observation.arrivedQueries) / seconds) != nil {
            ticks.removeFirst(max(0, ticks.count - Self.shortestWindow))
        }
        if ticks.count > window { ticks.removeFirst() }
    }
}
