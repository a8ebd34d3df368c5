internal import ArgumentParser
internal import ServiceSettings
internal import ServingModel

/// The objective of queries that name none.
struct ObjectiveOptions: ParsableArguments {
    @Option(
        name: .customLong("slo-ttft-ms"),
        parsing: .unconditional,
        help: "Default time to first token, in milliseconds. (default: 2000)",
        transform: SettingForm.milliseconds.argument
    )
    var timeToFirstToken: Double?

    @Option(
        name: .customLong("slo-atgt-ms"),
        parsing: .unconditional,
        help: "Default average time per further token, in milliseconds. (default: 100)",
        transform: SettingForm.milliseconds.argument
    )
    var averageTokenTime: Double?

    func objective() throws -> ServiceLevelObjective {
        ServiceLevelObjective(
            timeToFirstToken: try interval(timeToFirstToken, "slo-ttft-ms", default: 2000),
            averageTokenTime: try interval(averageTokenTime, "slo-atgt-ms", default: 100)
        )
    }

    private func interval(_ given: Double?, _ name: String, default fallback: Double) throws -> Interval {
        let value = try Setting.resolve(given, name, default: fallback)
        guard let interval = Interval(validatingMilliseconds: value), interval > .zero else {
            let label = Setting.label(name, isGiven: given != nil)
            throw ConfigurationFault("\(label) is \(value); it must be a positive number of milliseconds")
        }
        return interval
    }
}
