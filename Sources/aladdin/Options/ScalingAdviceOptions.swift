internal import ArgumentParser
internal import SchedulerService
internal import Scheduling
internal import ServiceSettings
internal import ServingModel

/// How many workers the scheduler wishes for.
struct ScalingAdviceOptions: ParsableArguments {
    @Option(
        help: """
            How the scheduler computes the number of workers it wishes for: \(ScalingCatalog.names.joined(separator: ", ")), \
            with settings as in forecast:utilisation=0.9, or off. (default: \(ScalingCatalog.defaultName))
            """
    )
    var scaling: String?

    @Option(parsing: .unconditional, help: "It never wishes for fewer workers of a model. (default: 1)")
    var minWorkers: Int?

    @Option(parsing: .unconditional, help: "It never wishes for more workers of a model. (default: 10000)")
    var maxWorkers: Int?

    @Option(
        name: .customLong("startup-s"),
        parsing: .unconditional,
        help: "How long a worker takes to start, until the scheduler has seen some do so. (default: 30)"
    )
    var startUp: Double?

    func limits() throws -> ScalingLimits {
        let least = try Setting.resolve(minWorkers, "min-workers", default: 1)
        let most = try Setting.resolve(maxWorkers, "max-workers", default: 10_000)
        try Self.check(least, most, isGiven: maxWorkers != nil)
        return ScalingLimits(least: least, most: most)
    }

    static func check(_ least: Int, _ most: Int, isGiven: Bool) throws {
        guard least <= most else {
            let label = Setting.label("max-workers", isGiven: isGiven)
            throw ConfigurationFault("\(label) is \(most); it must be from min-workers, \(least), to 10000")
        }
    }

    func apply(to configuration: inout SchedulerServiceConfiguration) throws {
        let name = try Setting.resolve(scaling, "scaling", default: ScalingCatalog.defaultName)
        configuration.scaling = name == "off" ? nil : name
        configuration.scalingLimits = try limits()
        let seconds = try Setting.resolve(startUp, "startup-s", default: 30)
        configuration.workerStartUp = .seconds(rounding: seconds)
    }
}
