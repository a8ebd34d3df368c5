package import ServingModel

/// Decides when a wish for workers is followed: a pure machine between the scheduler's wishes and an actuator.
///
/// The policy behind the wishes has its own patience; what is here protects the fleet from it, and from the controller's
/// own restarts: limits, a pause between changes, and no step on old news.
package struct FleetController: Sendable {
    package struct Settings: Hashable, Sendable {
        /// The fewest and most workers that it ever asks for.
        package var least = 1
        package var most = 10_000
        /// Rest after a change before the fleet shrinks.
        ///
        /// Growing never waits: queries do.
        package var cooldown = Interval.seconds(30)

        package init() {}
    }

    package struct Decision: Hashable, Sendable {
        package var from: Int
        package var to: Int
        /// The scheduler's word, `least`, or `most`.
        package var reason: String
        package var offeredLoad: Double
    }

    package var settings: Settings {
        didSet { precondition(settings.least >= 0 && settings.least <= settings.most, "limits are in order") }
    }
    private var lastChange: Instant?

    /// - Precondition: 0 ≤ least ≤ most.
    package init(_ settings: Settings) {
        precondition(settings.least >= 0 && settings.least <= settings.most, "limits are in order")
        self.settings = settings
    }

    /// What to do now; nil for nothing.
    ///
    /// - Parameters:
    ///   - wish: the scheduler's; nil while there is no scheduler or none has been told yet, and then nothing shrinks.
    ///   - size: workers that run or are about to.
    package mutating func decide(_ wish: FleetWish?, size: Int, at now: Instant) -> Decision? {
        let wanted = wish?.workers ?? max(size, settings.least)
        let target = min(max(wanted, settings.least), settings.most)
        guard target != size else { return nil }
        if target < size, let lastChange, now - lastChange < settings.cooldown { return nil }
        lastChange = now
        let reason =
            target == wanted ? wish?.reason ?? "least" : target > wanted ? "least" : "most"
        return Decision(from: size, to: target, reason: reason, offeredLoad: wish?.offeredLoad ?? 0)
    }
}
