package import ServingModel

/// Workers that die at random and come back: what a fleet of a fixed size goes through.
package struct WorkerFailures: Hashable, Sendable {
    /// Mean time between the failures of one worker while it serves, in seconds; exponential.
    package var meanSeconds: Double
    /// From a failure until the worker serves again, with nothing of what it had.
    package var restart: Interval

    package init(meanSeconds: Double, restart: Interval) {
        precondition(meanSeconds > 0 && restart >= .zero)
        self.meanSeconds = meanSeconds
        self.restart = restart
    }

    /// Failures and restarts, in the order of their times.
    ///
    /// Each place of the fleet has its own draws, so that a larger fleet adds failures and leaves the others as they are.
    ///
    /// - Parameters:
    ///   - profiles: one for each place of the fleet.
    ///   - seconds: nothing fails from then on.
    package func changes(of profiles: [LatencyProfile], until seconds: Double, seed: UInt64) -> [FleetChange] {
        var failures: [(time: Instant, place: Int)] = []
        var seeds = SeededGenerator(seed: seed ^ 0xFA11)
        for place in profiles.indices {
            var generator = SeededGenerator(seed: seeds.next())
            var time = meanSeconds * generator.exponential()
            while time < seconds {
                failures.append((.zero + .seconds(rounding: time), place))
                time += restart.seconds + meanSeconds * generator.exponential()
            }
        }
        failures.sort { ($0.time, $0.place) < ($1.time, $1.place) }
        // A restarted worker is a new one to the simulation, with the next index.
        var indices = Array(profiles.indices)
        return failures.enumerated().flatMap { order, failure in
            let worker = indices[failure.place]
            indices[failure.place] = profiles.count + order
            return [
                FleetChange(time: failure.time, action: .fail(worker: worker)),
                FleetChange(time: failure.time, action: .start(profiles[failure.place], startUp: restart)),
            ]
        }
    }
}
