package import ServingModel

/// Decides how many workers a model should have: a pure machine, told once a tick what the fleet looks like.
///
/// It only wishes; whoever runs the fleet starts workers, and drains the emptiest ones when there are too many.
package protocol ScalingPolicy: Sendable {
    mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish
}

/// The least and most workers a policy may wish for.
package struct ScalingLimits: Hashable, Sendable {
    package var least: Int
    package var most: Int

    /// - Precondition: 0 ≤ least ≤ most.
    package init(least: Int = 1, most: Int = 10_000) {
        precondition(least >= 0 && least <= most, "limits are in order")
        self.least = least
        self.most = most
    }

    /// The whole number of workers for a real one, within the limits.
    func workers(_ wanted: Double) -> Int {
        guard wanted > Double(least) else { return least }
        // A hair above a whole number is rounding, not demand.
        return wanted < Double(most) ? min(max(Int((wanted - 1e-9).rounded(.up)), least), most) : most
    }

    /// A wish for `workers` from `committed`, named by its direction unless a limit stopped it.
    func wish(_ workers: Int, from committed: Int, up: ScalingReason = .demand) -> ScalingWish {
        let held = min(max(workers, least), most)
        if held != workers { return ScalingWish(workers: held, reason: .limit) }
        if held == committed { return ScalingWish(workers: held, reason: .steady) }
        return ScalingWish(workers: held, reason: held > committed ? up : .surplus)
    }
}
