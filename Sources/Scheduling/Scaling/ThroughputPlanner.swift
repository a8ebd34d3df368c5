package import ServingModel

/// A planner like NVIDIA Dynamo's: predicted token loads over a worker's profiled throughput at the objectives.
///
/// Once an interval: prefill load = queries·input/interval·min(1, TTFT correction), decode load = queries·output/interval.
/// A worker's prefill throughput is that of one mean prompt; its decode throughput is that of the largest batch whose
/// step is within T_atgt/(ATGT correction), at a context of input + output/2. The corrections are measured over
/// expected, so a model that is too fast on paper is mended. Dynamo plans prefill and decode pools apart; workers here do
/// both, so the two shares add up. Source: the Dynamo documentation, *SLA-based planner*; its predictors are replaced by
/// the last interval or a line through the last two.
package struct ThroughputPlanner: ScalingPolicy {
    package enum Predictor: Hashable, Sendable {
        /// The next interval is like the last.
        case constant
        /// The next interval continues the change between the last two.
        case linear
    }

    /// The set point: the share of the computed throughput that is planned with.
    package var utilisation: Double
    package var predictor: Predictor
    package var limits: ScalingLimits

    private let model: StepModel
    private let profile: LatencyProfile
    private let objective: ServiceLevelObjective
    private let interval: Interval
    private var nextPlan: Instant?
    private var load = Load()
    private var lastRate: Double?
    private var wish: Int?

    /// Sums over the interval under way.
    private struct Load: Sendable {
        var ticks = 0.0
        var queries = 0.0
        var inputTokens = 0.0
        var finished = 0.0
        var outputTokens = 0.0
        var batch = 0.0
        var firstToken = (sum: 0.0, count: 0.0)
        var tokenTime = (sum: 0.0, count: 0.0)
    }

    package init(
        profile: LatencyProfile,
        objective: ServiceLevelObjective,
        utilisation: Double = 0.8,
        interval: Interval = .seconds(60),
        predictor: Predictor = .constant,
        limits: ScalingLimits = ScalingLimits()
    ) {
        precondition(utilisation > 0 && interval > .zero, "utilisation and interval are positive")
        self.profile = profile
        self.objective = objective
        self.utilisation = utilisation
        self.interval = interval
        self.predictor = predictor
        self.limits = limits
        model = StepModel(profile)
    }

    package mutating func desiredWorkers(_ observation: FleetObservation, at now: Instant) -> ScalingWish {
        add(observation)
        let committed = observation.committedWorkers
        guard let due = nextPlan else {
            nextPlan = now + interval
            return limits.wish(committed, from: committed)
        }
        guard now >= due else { return limits.wish(wish ?? committed, from: committed) }
        nextPlan = now + interval
        let planned = plan() ?? committed
        load = Load()
        wish = planned
        return limits.wish(planned, from: committed)
    }

    private mutating func add(_ observation: FleetObservation) {
        load.ticks += 1
        load.queries += Double(observation.arrivedQueries)
        load.inputTokens += Double(observation.arrivedInputTokens)
        load.finished += Double(observation.finishedQueries)
        load.outputTokens += Double(observation.finishedOutputTokens)
        load.batch += observation.meanBatch
        if let seconds = observation.meanFirstTokenSeconds {
            load.firstToken = (load.firstToken.sum + seconds, load.firstToken.count + 1)
        }
        if let seconds = observation.meanTokenSeconds {
            load.tokenTime = (load.tokenTime.sum + seconds, load.tokenTime.count + 1)
        }
    }

    /// - Returns: nil if nothing finished in the interval, for then the lengths are unknown.
    private mutating func plan() -> Int? {
        let rate = load.queries / interval.seconds
        let predicted = predictor == .linear ? max(0, 2 * rate - (lastRate ?? rate)) : rate
        lastRate = rate
        guard load.queries > 0 else { return limits.least }
        guard load.finished > 0 else { return nil }
        let input = load.inputTokens / load.queries
        let output = load.outputTokens / load.finished
        let context = input + output / 2

        let prompt = model.prefill(tokens: input, squares: input * input)
        let late = load.firstToken.count > 0 ? load.firstToken.sum / load.firstToken.count / prompt : 1
        let prefillShare = predicted * prompt * min(1, late)

        let batch = load.batch / load.ticks
        let expected = model.decode(sequences: max(batch, 1), context: max(batch, 1) * context)
        let slow = load.tokenTime.count > 0 ? load.tokenTime.sum / load.tokenTime.count / expected : 1
        let pace = objective.averageTokenTime.seconds / slow
        guard let throughput = decodeThroughput(pace: pace, context: context) else { return limits.most }
        return limits.workers((prefillShare + predicted * output / throughput) / utilisation)
    }

    /// Tokens per second of a worker whose decode steps take at most `pace` seconds; nil if not even one sequence fits.
    private func decodeThroughput(pace: Double, context: Double) -> Double? {
        let byMemory = Double(profile.kvCache.capacityTokens) / max(context, 1)
        var batch = min(Double(profile.limits.maximumSequences), byMemory).rounded(.down)
        // The step grows with the batch, knee or not: halve the range in which it passes the pace.
        var low = 0.0
        while batch - low > 1 {
            let middle = ((low + batch) / 2).rounded(.down)
            let fits = model.decode(sequences: middle, context: middle * context) <= pace
            if fits { low = middle } else { batch = middle }
        }
        let largest = batch >= 1 && model.decode(sequences: batch, context: batch * context) <= pace ? batch : low
        return largest >= 1 ? largest / model.decode(sequences: largest, context: largest * context) : nil
    }
}
