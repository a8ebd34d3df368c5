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
        configuration.maximumAttempts = try count(maxAttempts, "max-attempts", configuration.maximumAttempts)
        configuration.maximumWorkersLost = try count(poisonAfter, "poison-after", configuration.maximumWorkersLost)
        let seconds = try Setting.resolve(
            engineTimeoutS,
            "engine-timeout-s",
            default: configuration.enginePatience.seconds
        )
        guard let patience = Interval(validatingMilliseconds: seconds * 1000), patience > .zero else {
            throw ValidationError("--engine-timeout-s is \(seconds); it must be a positive number of seconds")
        }
        configuration.enginePatience = patience
    }

    private func count(_ given: Int?, _ name: String, _ fallback: Int) throws -> Int {
        let count = try Setting.resolve(given, name, default: fallback)
        guard (1...1000).contains(count) else {
            throw ValidationError("--\(name) is \(count); it must be from 1 to 1000")
        }
        return count
    }
}
