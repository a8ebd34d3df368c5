/// Error-aware rebalancing: predicted lengths are wrong, and new queries go where that does the least harm.
///
/// Each worker has a ledger, the sum of how much longer its queries are now predicted than when they were placed. Nothing
/// moves; what a worker holds beyond its capacity makes it wait, and the light take what the heavy would have got.
extension WorkerBin {
    /// Margin below full at which a frozen worker takes queries again.
    private static let thawMargin = 0.05

    /// Freezes a worker that its corrected predictions fill beyond its capacity, until it is well below it.
    mutating func thaw(_ settings: BestFit.Settings) {
        let share = contextShare(settings)
        if share > 1 { isFrozen = true } else if share < 1 - Self.thawMargin { isFrozen = false }
    }

    /// By what share it turned out heavier than it was packed.
    var relativeError: Double {
        let packed = finalContext - error
        return packed > 0 ? error / packed : 0
    }
}

extension BestFit {
    /// Error above the mean of its group from which a worker counts as heavy.
    private static let heavyError = 0.05

    /// The best fit, or if that one is heavy the lightest of the opened workers that the query fits into as well.
    func lighter(
        than best: Int,
        among others: [Int],
        of everyone: [Int],
        fits: (Int) -> Bool
    ) -> Int {
        let errors = everyone.filter { !bins[$0].isEmpty }.map { bins[$0].relativeError }
        let mean = errors.reduce(0, +) / Double(max(1, errors.count))
        guard bins[best].relativeError > mean + Self.heavyError else { return best }
        let lighter = others.filter { !bins[$0].isEmpty && bins[$0].relativeError < mean - Self.heavyError }
            .sorted { (bins[$0].relativeError, $0) < (bins[$1].relativeError, $1) }
        return lighter.first(where: fits) ?? best
    }
}

/// How the risk of a group is shared among its workers: by load, and no worker without any.
struct Risk {
    private let delta: Double
    private let total: Double
    private let chance: BestFit.Chance?

    init(of loads: [Int], _ chance: BestFit.Chance?) {
        self.chance = chance
        delta = chance?.delta ?? 0
        total = Double(loads.reduce(0) { $0 + $1 + 1 })
    }

    /// κ(β) of a worker with so many queries.
    func margin(of load: Int) -> Double {
        guard let chance else { return 0 }
        return chance.margin(risk: min(0.5, delta * Double(load + 1) / total))
    }
}
