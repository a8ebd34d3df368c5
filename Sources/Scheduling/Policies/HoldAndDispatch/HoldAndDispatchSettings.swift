package import ServingModel

extension HoldAndDispatch {
    /// The constants of hold and dispatch, and a switch for each of its mechanisms.
    package struct Settings: Hashable, Sendable {
        /// Queries wait in the central queue for the right moment; off sends each at once.
        package var holds = true
        /// Queries are sent together; off sends them one by one.
        package var batches = true
        /// Workers are compared by hazard; off takes the least recently prefilled.
        package var usesHazard = true
        /// Only the least recently prefilled workers are candidates; off considers all.
        package var aligns = true
        /// How many of them.
        package var candidates = 16
        /// Prefill time of a batch, as a share of the TTFT objective.
        package var batchShare = 0.25
        /// How far a batch sets a worker's queries back, as a share of the ATGT objective, for it not to be worth holding.
        package var freeShare = 0.01
        /// Share of what a worker bears, in pace and in KV cache, up to which nothing is gained by holding.
        package var lightLoad = 0.7
        /// Hazard per query up to which a full batch goes.
        package var patience = 0.02
        /// Slack of the head, as a share of its TTFT objective, below which it must go.
        package var lastCall = 0.15
        /// Weight of the pace among the candidates; negative packs.
        package var balance = 0.1
        /// How much of the fleet's prefill share slows the pace.
        package var interference = 0.5
        /// How long a full batch waits before it looks at every candidate again without an event.
        package var lookAgain = Interval.milliseconds(20)

        /// Clients' guesses of output lengths count more than history.
        package var usesHints = true
        /// Queries go to where the beginning of their prompt is, if somewhere.
        package var usesPrefixes = true
        /// Share of a prompt that a worker must hold to be waited for.
        package var homeShare = 0.5
        /// Queries that would cost more objectives than they are wait until they cost none; off sends them all the same.
        package var sheds = true
        /// Hazard per query from which it is not worth its harm.
        package var shedAt = 0.15
        /// Pace, as a share of the ATGT objective, up to which a worker takes queries that are late anyway.
        package var latePace = 0.9
        /// TTFT objectives after its deadline from which a late query goes whatever it harms.
        package var longestWait = 60.0
        /// Seconds between two such queries on a worker.
        package var forcedInterval = 120.0

        package init() {}

        init(_ settings: inout PolicySettings) throws(PolicyError) {
            holds = try settings.flag("hold", default: holds)
            batches = try settings.flag("batch", default: batches)
            usesHazard = try settings.flag("hazard", default: usesHazard)
            aligns = try settings.flag("align", default: aligns)
            candidates = Int(try settings.number("candidates", default: 16, in: 1...100_000))
            batchShare = try settings.number("batch-share", default: batchShare, in: 0.01...1)
            freeShare = try settings.number("free-share", default: freeShare, in: 0...1)
            lightLoad = try settings.number("light-load", default: lightLoad, in: 0...1)
            patience = try settings.number("patience", default: patience, in: 0...1)
            lastCall = try settings.number("last-call", default: lastCall, in: 0...1)
            balance = try settings.number("balance", default: balance, in: -1...1)
            interference = try settings.number("interference", default: interference, in: 0...1)
            usesHints = try settings.flag("hints", default: usesHints)
            usesPrefixes = try settings.flag("prefix", default: usesPrefixes)
            homeShare = try settings.number("home-share", default: homeShare, in: 0.01...1)
            sheds = try settings.flag("shed", default: sheds)
            shedAt = try settings.number("shed-at", default: shedAt, in: 0...100)
            longestWait = try settings.number("longest-wait", default: longestWait, in: 0...1e6)
            forcedInterval = try settings.number("forced-interval", default: forcedInterval, in: 0.001...1e6)
            latePace = try settings.number("late-pace", default: latePace, in: 0...2)
        }
    }
}
