internal import ArgumentParser
internal import ServiceSettings
internal import ServingModel
internal import Simulation

/// What GPUs cost, so that fleets can be compared by money.
struct PriceOptions: ParsableArguments {
    @Option(
        name: .customLong("gpu-price-per-hour"),
        parsing: .unconditionalSingleValue,
        help: "What a GPU costs an hour, in any currency; repeated for one price for each --profile, in their order.",
        transform: SettingForm.number(0...1e6, of: "").argument
    )
    var prices: [Double] = []

    /// A price for each of the profiles; nil if none is given.
    func prices(of profiles: Int) throws -> [Double]? {
        switch prices.count {
        case 0: return nil
        case 1: return Array(repeating: prices[0], count: profiles)
        case profiles: return prices
        default:
            throw ValidationError(
                "--gpu-price-per-hour is given \(prices.count) times; give it once, or for each of the \(profiles) profiles"
            )
        }
    }
}

extension SimulationStudy {
    /// What a GPU of a fleet of this size costs an hour, on average.
    ///
    /// - Parameter prices: one for each kind of worker.
    func meanPrice(_ prices: [Double], workers count: Int) -> Double {
        let counts = workers.counts(of: count)
        var cost = Double(prefillWorkers * workers.parts[0].profile.gpus) * prices[0]
        for (kind, part) in workers.parts.enumerated() {
            cost += Double(counts[kind] * part.profile.gpus) * prices[kind]
        }
        return cost / Double(max(gpus(of: count), 1))
    }
}
