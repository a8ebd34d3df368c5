package import ServingModel

/// The scaling policies by name, with the settings that each has: `forecast:utilisation=0.9`.
package enum ScalingCatalog {
    package static let names = ["forecast", "paper", "planner", "hpa"]
    package static let defaultName = "forecast"

    /// What a policy is made for.
    package struct Fleet: Sendable {
        /// Of the workers that there are, or will be.
        package var profile: LatencyProfile
        package var objective: ServiceLevelObjective
        /// Queries per second that a worker serves, for policies that are told nothing better later.
        package var ratePerWorker: Double
        /// How long a worker takes to start, before any was seen to.
        package var startUp: Interval
        package var limits: ScalingLimits

        package init(
            profile: LatencyProfile,
            objective: ServiceLevelObjective = .standard,
            ratePerWorker: Double = 1,
            startUp: Interval = .seconds(30),
            limits: ScalingLimits = ScalingLimits()
        ) {
            self.profile = profile
            self.objective = objective
            self.ratePerWorker = ratePerWorker
            self.startUp = startUp
            self.limits = limits
        }
    }

    /// - Throws: `PolicyError` for a name or a setting that does not exist, or a value out of range.
    package static func make(_ text: String, for fleet: Fleet) throws(PolicyError) -> any ScalingPolicy {
        var settings = try PolicySettings(text)
        let policy = try make(&settings, for: fleet)
        try settings.finish()
        return policy
    }

    private static func make(
        _ settings: inout PolicySettings,
        for fleet: Fleet
    ) throws(PolicyError) -> any ScalingPolicy {
        switch settings.name {
        case "forecast":
            var forecast = ForecastScaling(
                utilisation: try settings.number("utilisation", default: 0.95, in: 0.05...2),
                startUp: fleet.startUp,
                patience: .seconds(rounding: try settings.number("patience", default: 60, in: 0...86_400)),
                limits: fleet.limits
            )
            forecast.keepsReserve = try settings.flag("reserve", default: true)
            return forecast
        case "paper":
            return PaperScaling(
                utilisation: try settings.number("utilisation", default: 0.8, in: 0.05...2),
                ratePerWorker: fleet.ratePerWorker,
                limits: fleet.limits
            )
        case "planner":
            var planner = ThroughputPlanner(
                profile: fleet.profile,
                objective: fleet.objective,
                utilisation: try settings.number("utilisation", default: 0.8, in: 0.05...2)
            )
            planner.limits = fleet.limits
            return planner
        case "hpa":
            let stabilisation = try settings.number("stabilisation", default: 300, in: 0...86_400)
            return HorizontalPodAutoscaler(
                target: try settings.number("target", default: 0.6, in: 0.01...1),
                stabilisation: .seconds(rounding: stabilisation),
                limits: fleet.limits
            )
        default:
            throw PolicyError(
                message: "there is no scaling policy '\(settings.name)'; there are: \(names.joined(separator: ", "))"
            )
        }
    }
}
