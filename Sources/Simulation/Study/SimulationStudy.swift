package import Brokering
internal import Scheduling
package import ServingModel

/// A question to the simulator: this load, these workers, these objectives; and what becomes of it by policy and size.
///
/// Everything that decides a run is in here, in the policy's name and in the number of workers: equal studies give
/// equal runs on every machine.
package struct SimulationStudy: Sendable {
    /// What policies know of the lengths of answers.
    package enum Lengths: Hashable, Sendable {
        /// The lengths of 2,000 random queries of the trace, times a factor: 1 unless the history is to be wrong.
        case predicted(factor: Double)
        /// The length of each answer, when its query comes.
        case oracle
    }

    package var trace: Trace
    package var plan: ArrivalPlan
    package var workers: WorkerMix
    package var mode = BatchingMode.prefillPriority
    /// Of queries for which the trace names none.
    package var objective = ServiceLevelObjective.standard
    package var lengths = Lengths.predicted(factor: 1)
    /// One run each: those after the first have another Poisson draw, or begin elsewhere in the trace.
    package var seeds: [UInt64] = [1]
    package var warmUpSeconds = 0.0
    package var dispatchDelay = Interval.zero
    /// Workers register with latency coefficients that are wrong by this share: 0.1 for 10 % too slow.
    package var modelError = 0.0
    /// Whether the scheduler's latency models follow the steps that it sees.
    package var learnsStepTimes = true
    /// Workers of the first kind that prefill and do nothing else; the others only decode then.
    ///
    /// 0: every worker does both.
    package var prefillWorkers = 0
    /// Workers keep beginnings of prompts in their KV caches: of the blocks that the trace names.
    package var keepsPrefixes = false
    /// What starts and drains workers, from the number that a run begins with; nil for a fixed number.
    package var scaling: SimulatedScaling?
    /// How workers of a fleet of a fixed number die and come back; nil if they don't.
    package var failures: WorkerFailures?
    /// Queries of one session wait for each other's answers, as they did when they were traced.
    ///
    /// Of the plan, the trace's own arrivals only; nothing is left to a warm-up.
    package var isClosedLoop = false

    /// Refuses queries on arrival that could not be served within their objectives; nil admits all.
    package var admission: AdmissionSettings?

    /// Queries that the length history is drawn from.
    private static let historySize = 2000

    package init(trace: Trace, plan: ArrivalPlan, workers: WorkerMix) {
        self.trace = trace
        self.plan = plan
        self.workers = workers
    }

    /// What each seed's run offers.
    ///
    /// - Throws: `ArrivalPlanError` that names the option.
    package func workloads() throws(ArrivalPlanError) -> [StudyWorkload] {
        var plan = plan
        // A query must fit wherever it is placed.
        plan.kvCapacityTokens = workers.parts.map(\.profile.kvCache.capacityTokens).min()
        let kept = plan.filtered(trace).entries
        var result: [StudyWorkload] = []
        for (replicate, seed) in seeds.enumerated() {
            let queries =
                isClosedLoop
                ? try conversations(among: kept, seed: seed, replicate: replicate)
                : try plan.entries(from: trace, seed: seed, replicate: replicate).map(query)
            let last = queries.last?.arrival.seconds ?? 0
            let workload = StudyWorkload(
                seed: seed,
                queries: queries,
                lengths: history(of: kept, seed: seed),
                seconds: plan.durationSeconds ?? last,
                warmUpSeconds: warmUpSeconds
            )
            guard !workload.counted.isEmpty else {
                throw ArrivalPlanError(
                    option: "--warmup-s",
                    message: "no query arrives after \(warmUpSeconds) s; the last comes at \(last) s"
                )
            }
            result.append(workload)
        }
        return result
    }

    private func query(_ entry: Trace.Entry) -> SimulatedQuery {
        SimulatedQuery(
            arrival: Instant.zero + entry.arrival,
            inputTokens: entry.inputTokens,
            outputTokens: entry.outputTokens,
            objective: entry.objective ?? objective,
            tenant: entry.tenant,
            priority: entry.priority,
            blocks: entry.blocks
        )
    }

    private func history(of entries: [Trace.Entry], seed: UInt64) -> LengthHistory {
        var history = LengthHistory()
        guard case .predicted(let factor) = lengths, !entries.isEmpty else { return history }
        var generator = SeededGenerator(seed: seed &* 7919)
        for _ in 0..<Self.historySize {
            let entry = entries[generator.index(below: entries.count)]
            history.observe(
                outputTokens: max(1, Int((Double(entry.outputTokens) * factor).rounded())),
                model: workers.parts[0].profile.model,
                inputTokens: entry.inputTokens,
                tenant: entry.tenant
            )
        }
        return history
    }
}
