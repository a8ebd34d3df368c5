extension BestFit {
    /// The constants of best-fit, and a switch for each of its mechanisms.
    package struct Settings: Hashable, Sendable {
        /// Share of the ATGT objective that a decode step may take: what is left pays for prefills in between.
        ///
        /// The paper calibrates it by hand. Predicted lengths ask for a lower one: the slack of answers that end sooner than
        /// predicted is overestimated, and fewer queries on a worker are fewer prompts that spend it.
        package var theta = Self.cautiousTheta
        /// Share of its predicted output that counts as a query's context: 1/2 is the mean over its life.
        package var gamma = 0.5
        /// Idle workers are bins not yet opened, used only when no opened one fits; off fills them first.
        package var packs = true
        /// What fits nowhere waits while its TTFT objective has slack; off places it at once where it does least harm.
        package var holds = true
        /// Slack, as a share of the TTFT objective, below which a query is held no longer.
        package var lastCall = 0.15
        /// A client's guess of the output's length is taken as the truth; off predicts every length.
        package var trustsHints = true
        /// Predictions of running queries follow what they have produced; off keeps them, at least one token ahead.
        package var repredicts = true
        /// Placement makes up for the errors of predictions.
        package var rebalances = true
        /// Objectives that are missed in any case no longer protect a worker from new queries.
        package var writesOff = false
        /// Schedulers of their own that the workers are split among.
        package var groups = 1
        /// Workers only decode what was prefilled elsewhere: prefills and first tokens constrain nothing.
        package var decodesOnly = false
        /// Constraints on decode time and KV memory hold with a probability rather than on average; nil for on average.
        package var chance: Chance?

        private static let cautiousTheta = 0.5
        /// Where lengths have probabilities, or no prefill comes between tokens.
        private static let plainTheta = 0.7

        package init() {}

        init(_ settings: inout PolicySettings) throws(PolicyError) {
            gamma = try settings.number("gamma", default: gamma, in: 0...1)
            packs = try settings.flag("pack", default: packs)
            holds = try settings.flag("hold", default: holds)
            lastCall = try settings.number("last-call", default: lastCall, in: 0...1)
            trustsHints = try settings.flag("hints", default: trustsHints)
            repredicts = try settings.flag("repredict", default: repredicts)
            rebalances = try settings.flag("rebalance", default: rebalances)
            writesOff = try settings.flag("write-off", default: writesOff)
            groups = Int(try settings.number("groups", default: 1, in: 1...1000))
            decodesOnly = try settings.flag("decode-only", default: decodesOnly)
            let usesChance = try settings.flag("chance", default: false)
            var chance = Chance()
            chance.delta = try settings.number("delta", default: chance.delta, in: 1e-9...0.5)
            chance.isDistributionFree = try settings.flag("cantelli", default: chance.isDistributionFree)
            chance.correlation = try settings.number("correlation", default: chance.correlation, in: 0...1)
            self.chance = usesChance ? chance : nil
            let usual = usesChance || decodesOnly ? Self.plainTheta : Self.cautiousTheta
            theta = try settings.number("theta", default: usual, in: 0.05...1)
        }
    }

    /// The form of the constraints that has probabilities: `μ + κ(β)·σ ≤ capacity`.
    package struct Chance: Hashable, Sendable {
        /// Risk that the fleet shares: a worker's β is its part of it, by load.
        package var delta = 0.03
        /// κ by Cantelli's inequality, for any distribution; otherwise by the normal.
        package var isDistributionFree = false
        /// ρ of the errors that all queries of a worker have in common.
        package var correlation = 0.0

        package init() {}

        /// By how many standard deviations a worker stays below its capacities.
        ///
        /// - Parameter risk: β, over 0 and below 1.
        package func margin(risk: Double) -> Double {
            isDistributionFree ? ((1 - risk) / risk).squareRoot() : -NormalQuantile.of(risk)
        }
    }
}
