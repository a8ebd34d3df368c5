import Brokering
import Scheduling
import ServingModel
import Simulation

/// A fleet of eight small workers under a load that is a multiple of their mean-field capacity.
enum OverloadFixture {
    static let workers = 8
    static let objective = ServiceLevelObjective(
        timeToFirstToken: .milliseconds(600),
        averageTokenTime: .milliseconds(25)
    )

    /// Queries a second that the fleet can do at best.
    static var capacity: Double {
        let sizes = entries.map { QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens) }
        let perRate = MeanFieldCapacity(
            profile: StudyFixture.profile,
            averageTokenTime: objective.averageTokenTime
        ).workers(rate: 1, queries: sizes)
        return Double(workers) / perRate
    }

    private static let entries: [Trace.Entry] = {
        var generator = SeededGenerator(seed: 5)
        return (0..<2000).map { index in
            Trace.Entry(
                arrival: .milliseconds(Int64(index) * 25),
                inputTokens: Int.random(in: 10...400, using: &generator),
                outputTokens: Int.random(in: 1...200, using: &generator)
            )
        }
    }()

    /// - Parameters:
    ///   - load: as a multiple of the capacity.
    ///   - burst: another one from 40 s to 100 s.
    static func study(
        load: Double,
        burst: Double? = nil,
        mode: BatchingMode = .prefillPriority,
        seeds: [UInt64] = [1, 2, 3],
        admission: AdmissionSettings? = AdmissionSettings()
    ) -> SimulationStudy {
        var plan = ArrivalPlan()
        plan.arrivals = .poisson
        plan.rate = capacity * load
        plan.durationSeconds = 130
        if let burst {
            plan.changes = [.burst(fromSeconds: 40, lastingSeconds: 60, rate: burst / load)]
        }
        var study = SimulationStudy(
            trace: Trace(entries: entries),
            plan: plan,
            workers: WorkerMix(StudyFixture.profile)
        )
        study.mode = mode
        study.objective = objective
        study.seeds = seeds
        study.warmUpSeconds = 15
        study.admission = admission
        return study
    }

    /// The runs of all seeds, each workload changed first.
    static func runs(
        _ study: SimulationStudy,
        _ policy: String,
        _ change: (inout SimulatedQuery, inout SeededGenerator) -> Void = { _, _ in }
    ) throws -> [SimulationRun] {
        try study.workloads().compactMap { workload in
            var generator = SeededGenerator(seed: workload.seed &+ 99)
            var queries = workload.queries
            for index in queries.indices { change(&queries[index], &generator) }
            let changed = StudyWorkload(
                seed: workload.seed,
                queries: queries,
                lengths: workload.lengths,
                seconds: workload.seconds,
                warmUpSeconds: workload.warmUpSeconds
            )
            return try study.run(policy, workers: workers, changed)
        }
    }

    /// Of the queries that arrived between two seconds and are counted at all, the share for which something holds.
    static func share(
        _ runs: [SimulationRun],
        from begin: Double,
        to end: Double,
        of isCounted: (SimulatedQuery) -> Bool = { _ in true },
        _ holds: (SimulatedQuery, Simulation.QueryRecord) -> Bool
    ) -> Double {
        var (all, some) = (0, 0)
        for run in runs {
            for (query, record) in zip(run.workload.queries, run.records)
            where (begin..<end).contains(Double(query.arrival.nanoseconds) / 1e9) && isCounted(query) {
                all += 1
                if holds(query, record) { some += 1 }
            }
        }
        return Double(some) / Double(max(all, 1))
    }

    /// Queries a second that kept their objectives.
    static func goodput(_ runs: [SimulationRun], from begin: Double, to end: Double) -> Double {
        let met = runs.reduce(0) { sum, run in
            sum
                + zip(run.workload.queries, run.records).count { query, record in
                    (begin..<end).contains(Double(query.arrival.nanoseconds) / 1e9) && query.isMet(by: record)
                }
        }
        return Double(met) / Double(runs.count) / (end - begin)
    }
}
