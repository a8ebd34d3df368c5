internal import Batching
internal import Scheduling
internal import ServingModel
internal import Simulation

/// A measured run and the simulation of the same queries, query by query; times in seconds.
struct EngineRunFinding: Codable, Sendable {
    struct Times: Codable, Sendable {
        /// From the arrival.
        var firstToken: Double
        /// Mean time between tokens; nil for a single token.
        var tokenTime: Double?
        /// From the run's beginning.
        var end: Double
    }

    /// A prompt without company: its TTFT measured and by the model.
    struct Undisturbed: Codable, Sendable {
        var inputTokens: Int
        var measured: Double
        var model: Double
    }

    var rate: Double
    var inputTokens: [Int]
    var outputTokens: [Int]
    var arrivals: [Double]
    var measured: [Times]
    var simulated: [Times]
    /// The most queries decoded at once.
    var measuredBatch: Int
    var simulatedBatch: Int
    /// The most tokens in the contexts of queries decoded at once, as far as the measurement shows it.
    var measuredContext: Double
    var preemptions: Int
    var kvCapacityTokens: Int
    /// Queries that had the engine to themselves until their first token.
    var undisturbed: [Undisturbed]
    /// How good the fit of the profile was, if it was fitted here.
    var fit: [String]

    /// Replays a measured run on one simulated worker.
    init(_ run: MeasuredRun, _ profile: LatencyProfile, _ simulation: EngineSimulation, fit: [String] = []) {
        rate = run.rate
        inputTokens = run.queries.map(\.inputTokens)
        outputTokens = run.queries.map(\.outputTokens)
        arrivals = run.queries.map(\.arrival)
        measured = run.queries.map { Times(firstToken: $0.firstToken, tokenTime: $0.tokenTime, end: $0.end) }
        simulated = simulation.times
        measuredBatch = run.largestBatch
        simulatedBatch = simulation.largestBatch
        measuredContext = run.largestContext
        preemptions = simulation.preemptions
        kvCapacityTokens = profile.kvCache.capacityTokens
        undisturbed = run.undisturbedPrefills.map { index in
            let query = run.queries[index]
            let alone = UnloadedLatency(profile: profile, inputTokens: query.inputTokens, outputTokens: 1)
            return Undisturbed(
                inputTokens: query.inputTokens,
                measured: query.firstToken,
                model: alone.timeToFirstToken.seconds
            )
        }
        self.fit = fit
    }

    func firstTokens(_ times: [Times]) -> Distribution { Distribution(times.map(\.firstToken)) }

    func tokenTimes(_ times: [Times]) -> Distribution { Distribution(times.compactMap(\.tokenTime)) }

    /// Output tokens per second from the first arrival to the last token.
    func throughput(_ times: [Times]) -> Double {
        let end = times.map(\.end).max() ?? 0
        return end > 0 ? Double(outputTokens.reduce(0, +)) / end : 0
    }
}

/// One worker under the arrivals of a measured run.
struct EngineSimulation {
    private(set) var times: [EngineRunFinding.Times] = []
    private(set) var largestBatch = 0
    private(set) var preemptions = 0

    init(_ run: MeasuredRun, _ profile: LatencyProfile, _ mode: BatchingMode) throws {
        let queries = run.queries.map {
            SimulatedQuery(
                arrival: .zero + .seconds(rounding: $0.arrival),
                inputTokens: $0.inputTokens,
                outputTokens: $0.outputTokens
            )
        }
        let scheduler = Scheduler(policy: try PolicyCatalog.make("round-robin", seed: 1))
        var simulation = ClusterSimulation(
            profiles: [profile],
            queries: queries,
            scheduler: scheduler,
            configuration: ClusterSimulation.Configuration(mode: mode)
        )
        while simulation.advance() {
            largestBatch = max(largestBatch, simulation.workers[0].batch.runningCount)
        }
        for (query, record) in zip(queries, simulation.records) {
            guard let firstToken = query.timeToFirstToken(by: record), let finish = record.finish else {
                throw UsageError(message: "a query of \(run.name) does not fit the profile's KV cache")
            }
            let tokenTime = query.averageTokenTime(by: record)?.seconds
            let end = (finish - .zero).seconds
            times.append(.init(firstToken: firstToken.seconds, tokenTime: tokenTime, end: end))
            preemptions += record.preemptions
        }
    }
}
