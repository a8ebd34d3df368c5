package import ServingModel

/// Kubernetes' HorizontalPodAutoscaler (autoscaling/v2) on one metric, with its defaults.
///
/// Every 15 s: `desired = ⌈pods · metric/target⌉`, nothing within 10 % of the target. When growing, pods that are not ready
/// count with a metric of 0, so that a growth under way is not repeated. It grows by at most the greater of 4 pods and
/// 100 % in 15 s, and shrinks to the largest recommendation of the last 5 minutes. Source: the Kubernetes documentation,
/// "Horizontal Pod Autoscaling", sections *Algorithm details* and *Configurable scaling behavior*.
package struct HorizontalPodAutoscaler: ScalingPolicy {
    package enum Metric: Hashable, Sendable {
        /// Mean share of the KV cache in use.
        case kvUse
        /// Waiting queries per worker.
        case waitingQueries
    }

    package let metric: Metric
    /// The set point: the value of the metric that it aims for.
    package var target: Double
    package var limits: ScalingLimits
    package var tolerance = 0.1

    private static let syncPeriod = Interval.seconds(15)
    private static let growthPods = 4

    private var nextSync: Instant?
    private var wish: Int?
    private var recommendations: RecentMaximum

    package init(
        metric: Metric = .kvUse,
        target: Double,
        stabilisation: Interval = .seconds(300),
        limits: ScalingLimits = ScalingLimits()
    ) {
        precondition(target > 0, "the target is positive")
        self.metric = metric
        self.target = target
        self.limits = limits
        recommendations = RecentMaximum(window: stabilisation)
    }

    package mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
        // Between two looks the number of pods asked for stands.
        if let wish, let nextSync, now < nextSync { return limits.wish(wish, from: observation.committedWorkers) }
        nextSync = now + Self.syncPeriod
        let pods = observation.committedWorkers
        let recommended = recommendation(observation)
        let stabilised = recommendations.add(recommended, at: now)
        let growth = max(pods + Self.growthPods, 2 * pods)
        let decided = recommended >= pods ? min(recommended, growth) : min(stabilised, pods)
        wish = min(max(decided, limits.least), limits.most)
        if recommended < pods, decided == pods { return ScalingWish(workers: wish ?? pods, reason: .lingering) }
        return limits.wish(decided, from: pods)
    }

    private func recommendation(_ observation: FleetObservation) -> Int {
        let pods = observation.committedWorkers
        let ready = observation.activeWorkers
        guard ready > 0 else { return max(pods, limits.least) }
        let total =
            switch metric {
            case .kvUse: observation.kvUse * Double(ready)
            case .waitingQueries: Double(observation.waitingQueries)
            }
        let ratio = total / Double(ready) / target
        guard abs(ratio - 1) > tolerance else { return pods }
        guard ratio > 1, pods > ready else { return limits.workers(ratio * Double(ready)) }
        let cautious = total / Double(pods) / target
        return cautious > 1 + tolerance ? limits.workers(cautious * Double(pods)) : pods
    }
}
