internal import Scheduling
internal import ServingModel

extension SimulationStudy {
    /// A number of workers below which no policy reaches the attainment on these workloads; at least 1.
    ///
    /// Queries that keep their objectives are served between the end of the warm-up and their last deadline, and cost
    /// the workers at least what `WorkerBound` says. That is so for the queries up to any length: long answers have
    /// late deadlines, so several lengths are tried and the best bound taken. All misses that are allowed may be among
    /// the dearest of them. Of several seeds at least one must reach the mean, so the lowest of their bounds counts.
    ///
    /// Of closed loops nothing is known beforehand: a slow service is asked less.
    package func bound(for workloads: [StudyWorkload], attainment: Double) -> Int {
        guard !isClosedLoop else { return 1 }
        var profile = workers.optimist
        if prefillWorkers > 0 {
            // Decode workers are counted, and prompts cost them nothing.
            profile.prefill.k1Milliseconds = 0
            profile.prefill.k1qMilliseconds = 0
            profile.prefill.k1AboveKneeMilliseconds = 0
        }
        let bounds = workloads.map { workload in
            let counted = workload.counted.map { workload.queries[$0] }
            let tokenTime = counted.map(\.objective.averageTokenTime).max() ?? objective.averageTokenTime
            return Self.bound(for: counted, WorkerBound(profile: profile, averageTokenTime: tokenTime), attainment)
        }
        let lowest = bounds.min() ?? 1
        // Arithmetic that is off by a part in a million must not lose a size.
        return lowest.isFinite ? max(1, Int((lowest * (1 - 1e-6)).rounded(.up))) : 1
    }

    private static func bound(
        for queries: [SimulatedQuery],
        _ bound: WorkerBound,
        _ attainment: Double
    ) -> Double {
        guard let begin = queries.first?.arrival else { return 1 }
        let allowed = Double(queries.count) * (1 - attainment) + 1
        let allowances = queries.map { ($0.lastDeadline - $0.arrival) }.sorted()
        var best = 1.0
        for percent in [50, 80, 90, 95, 98, 100] {
            let longest = Quantiles.quantile(percent, of: allowances)
            let some = queries.filter { $0.lastDeadline - $0.arrival <= longest }
            guard let end = some.map(\.lastDeadline).max(), Double(some.count) > allowed else { continue }
            let sizes = some.map { QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens) }
            let workers = bound.workers(
                rate: Double(some.count) / (end - begin).seconds,
                queries: sizes,
                attainment: 1 - allowed / Double(some.count)
            )
            if workers.isFinite { best = max(best, workers) }
        }
        return best
    }
}
