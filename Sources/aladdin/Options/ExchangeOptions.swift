internal import ArgumentParser
internal import Logging
internal import ServiceSettings
internal import ServingModel
internal import WorkerService

/// Where workers leave KV caches for each other, so that one computes a prompt and another goes on.
struct ExchangeOptions: ParsableArguments {
    @Option(
        help: """
            Directory in which workers of this machine leave KV caches for each other; in memory it is fastest. (default: \
            the user's own in /dev/shm)
            """
    )
    var kvExchange: String?

    @Option(
        help: """
            MiB of KV caches that a worker leaves there at once; with more it goes on with queries itself. (default: 1024)
            """
    )
    var kvExchangeMib: Int?

    /// Sets a worker's role, and opens the exchange for it.
    ///
    /// A worker for both phases does without one where it can't be opened, unless it was asked for.
    func apply(
        to configuration: inout WorkerServiceConfiguration,
        _ role: WorkerRole,
        _ engine: String,
        logger: Logger
    ) throws {
        configuration.role = role
        configuration.exchangeBytes = try Setting.resolve(kvExchangeMib, "kv-exchange-mib", default: 1024) << 20
        let given: String? = try Setting.resolve(kvExchange, "kv-exchange")
        guard ["cpu", "emulated"].contains(engine) else {
            guard role == .both else {
                throw ValidationError(
                    "a worker for the \(role.rawValue) phase alone needs --engine cpu or emulated: \(engine) can't hand KV caches over"
                )
            }
            return
        }
        do throws(Status) {
            configuration.exchange = try KVExchange(directory: given ?? KVExchange.standardDirectory)
        } catch {
            guard given == nil, role == .both else {
                let label = Setting.label("kv-exchange", isGiven: kvExchange != nil)
                throw ConfigurationFault("\(label): \(error.message)")
            }
            logger.debug("no KV caches are exchanged", metadata: ["why": "\(error.message)"])
        }
    }
}
