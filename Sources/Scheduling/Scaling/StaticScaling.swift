package import ServingModel

/// Always the same number of workers.
package struct StaticScaling: ScalingPolicy {
    package let workers: Int

    package init(workers: Int) {
        self.workers = workers
    }

    package mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
        ScalingWish(workers: workers, reason: .fixed)
    }
}
