internal import ArgumentParser
internal import Brokering
internal import ServingModel

/// How long and how often the broker tries.
struct DeliveryOptions: ParsableArguments {
    @Option(help: "Executions of one query at most, the first included. (default: 3)")
    var maxAttempts: Int?

    @Option(
        help: """
            Workers lost while they run one query and nothing else that may be why, without it getting further, until it \
            is given up. (default: 2)
            """
    )
    var poisonAfter: Int?

    @Option(help: "Seconds without a step until a worker that holds queries counts as hanging. (default: 120)")
    var engineTimeoutS: Double?

    func apply(to configuration: inout BrokerConfiguration) throws {
        configuration.maximumAttempts = try Setting.resolve(maxAttempts, "max-attempts", default: 3)
        configuration.maximumWorkersLost = try Setting.resolve(poisonAfter, "poison-after", default: 2)
        let seconds = try Setting.resolve(engineTimeoutS, "engine-timeout-s", default: 120)
        configuration.enginePatience = .seconds(rounding: seconds)
    }
}
