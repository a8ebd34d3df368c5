import Scheduling
import ServingModel
import Simulation

/// A small service that is quick to simulate: steps of a few milliseconds, and enough queries to be short of workers.
enum StudyFixture {
    static var profile: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d", gpus: 2)
        profile.prefill.c1Milliseconds = 4
        profile.prefill.k1Milliseconds = 0.1
        profile.decode.c3Milliseconds = 10
        profile.decode.c2Milliseconds = 0.5
        profile.decode.k2Milliseconds = 0.002
        profile.kvCache.capacityTokens = 8000
        return profile
    }

    static func study(queries: Int = 400, rate: Double = 40, seeds: [UInt64] = [1]) -> SimulationStudy {
        var generator = SeededGenerator(seed: 5)
        let entries = (0..<queries).map { index in
            Trace.Entry(
                arrival: .milliseconds(Int64(index) * 25),
                inputTokens: Int.random(in: 10...300, using: &generator),
                outputTokens: Int.random(in: 1...120, using: &generator)
            )
        }
        var plan = ArrivalPlan()
        plan.arrivals = .poisson
        plan.rate = rate
        plan.durationSeconds = 20
        var study = SimulationStudy(trace: Trace(entries: entries), plan: plan, workers: WorkerMix(profile))
        study.objective = ServiceLevelObjective(
            timeToFirstToken: .milliseconds(300),
            averageTokenTime: .milliseconds(20)
        )
        study.seeds = seeds
        study.warmUpSeconds = 2
        return study
    }

    /// A workload of queries with given arrivals (in seconds) and output lengths.
    static func workload(_ queries: [(arrival: Double, output: Int)], warmUp: Double = 0) -> StudyWorkload {
        StudyWorkload(
            seed: 1,
            queries: queries.map {
                SimulatedQuery(
                    arrival: .zero + .seconds(rounding: $0.arrival),
                    inputTokens: 10,
                    outputTokens: $0.output,
                    tenant: $0.output > 50 ? "long" : "short"
                )
            },
            lengths: LengthHistory(),
            seconds: 10,
            warmUpSeconds: warmUp
        )
    }

    static func record(first: Double?, finish: Double?, worker: Int? = 0, preemptions: Int = 0) -> QueryRecord {
        var record = QueryRecord()
        record.worker = worker
        record.dispatched = first.map { .zero + .seconds(rounding: $0 - 0.1) }
        record.firstToken = first.map { .zero + .seconds(rounding: $0) }
        record.finish = finish.map { .zero + .seconds(rounding: $0) }
        record.preemptions = preemptions
        return record
    }
}
