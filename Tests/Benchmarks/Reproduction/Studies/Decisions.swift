internal import Foundation
internal import Reports
internal import Scheduling
internal import ServingModel
internal import Simulation

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// How long the scheduler thinks about a query, and a simulation about many; on this machine's clock.
struct Decisions: Study {
    static let name = "decisions"
    static let isSerial = true
    private static let setting = "S70"
    private static let fleets = [32, 100, 1000]
    private static let policies = ["jsq", "aladdin", "aladdin-paper"]
    private static let replayPolicies = ["jsq", "aladdin"]
    private static let replayWorkers = 32
    private static let replayQueries = 20_000
    /// Other work on the machine only ever makes a run slower.
    private static let replays = 3

    /// Of a fleet what a placement takes, of a replay what all of it takes.
    struct Finding: Codable, Sendable {
        var rate: Double
        /// Nanoseconds.
        var p50: Double?
        var p99: Double?
        /// Decisions timed, or queries replayed.
        var count: Int
        /// Queries that wait or are being answered when timing ends.
        var present: Int?
        var seconds: Double?
    }

    let data: DataFolder

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let setting = try data.setting(Self.setting)
        let meanField = try setting.meanField(data)
        let placements = Self.fleets.flatMap { workers in
            Self.policies.map { policy in
                Question(placementKey(workers, policy)) {
                    let rate = setting.rate * Double(workers) / (1.05 * meanField)
                    return try place(setting, policy, workers: workers, rate: rate)
                }
            }
        }
        let replays = Self.replayPolicies.map { policy in
            Question(replayKey(policy)) { try replay(setting, policy) }
        }
        return placements + replays
    }

    private func placementKey(_ workers: Int, _ policy: String) -> QuestionKey {
        QuestionKey("\(workers) workers", policy: policy)
    }

    private func replayKey(_ policy: String) -> QuestionKey { QuestionKey("replay", policy: policy) }

    /// Fills an empty fleet for 20 s and times the decisions of the next 20 s.
    private func place(_ setting: LoadSetting, _ policy: String, workers: Int, rate: Double) throws -> Finding {
        var study = try setting.study(data, .prefillPriority, seeds: [1])
        study.plan.rate = rate
        study.plan.durationSeconds = 40
        study.warmUpSeconds = 20
        let workload = try study.workloads()[0]
        var simulation = ClusterSimulation(
            profiles: study.workers.profiles(of: workers),
            queries: workload.queries,
            scheduler: Scheduler(
                policy: try PolicyCatalog.make(policy, seed: workload.seed),
                lengths: workload.lengths
            ),
            configuration: ClusterSimulation.Configuration(
                mode: .prefillPriority,
                stopwatch: { Self.monotonicNanoseconds() }
            )
        )
        let begin = Instant.zero + .seconds(rounding: workload.warmUpSeconds)
        let end = Instant.zero + .seconds(rounding: workload.seconds)
        var before = 0
        while simulation.advance(), simulation.now < end {
            if simulation.now < begin { before = simulation.decisionTimes.count }
        }
        let times = simulation.decisionTimes.dropFirst(before).map { Interval(nanoseconds: Int64(clamping: $0)) }
        let present = zip(workload.queries, simulation.records).count {
            $0.arrival <= simulation.now && $1.finish == nil
        }
        let quantiles = Quantiles(times)
        return Finding(
            rate: rate,
            p50: (quantiles?.p50.seconds).map { $0 * 1e9 },
            p99: (quantiles?.p99.seconds).map { $0 * 1e9 },
            count: times.count,
            present: present
        )
    }

    /// The fastest of some runs of the same queries.
    private func replay(_ setting: LoadSetting, _ policy: String) throws -> Finding {
        var study = try setting.study(data, .prefillPriority, seeds: [1])
        // Poisson arrivals: enough that the wanted number comes for certain.
        study.plan.durationSeconds = Double(Self.replayQueries) / setting.rate * 1.1
        study.warmUpSeconds = 0
        let offered = try study.workloads()[0]
        let queries = Array(offered.queries.prefix(Self.replayQueries))
        let workload = StudyWorkload(
            seed: offered.seed,
            queries: queries,
            lengths: offered.lengths,
            seconds: queries.last?.arrival.seconds ?? 0,
            warmUpSeconds: 0
        )
        var fastest = UInt64.max
        for _ in 0..<Self.replays {
            let start = Self.monotonicNanoseconds()
            _ = try study.run(policy, workers: Self.replayWorkers, workload)
            fastest = min(fastest, Self.monotonicNanoseconds() - start)
        }
        return Finding(rate: setting.rate, count: queries.count, seconds: Double(fastest) / 1e9)
    }

    private static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("What a decision costs")
        chapter.text(
            """
            Wall-clock time, the only such figures on this page that equal seeds do not repeat, besides those of the live
            service: they depend on the machine and on what else it is doing, most of all the p99. S70's load at a rate for which the fleet is 1.05
            N_mf, mode A; an empty fleet fills for 20 s, and the next 20 s are timed. A time is that of a decision round
            that places something, over the queries it places; rounds that place nothing are not counted, nor is taking in
            arrivals and the workers' reports. *Present* are the queries that wait or are being answered at the end.
            """
        )
        let placements = Self.fleets.flatMap { workers in
            Self.policies.compactMap { policy -> [Cell]? in
                guard let finding = findings[placementKey(workers, policy)] else { return nil }
                return [
                    Cell("\(policy), \(workers) workers"), .number(finding.rate, decimals: 0),
                    .number(finding.p50.map { $0 / 1000 }), .number(finding.p99.map { $0 / 1000 }),
                    .count(finding.count), .count(finding.present),
                ]
            }
        }
        chapter.table(["", "queries/s", "p50, µs a query", "p99, µs a query", "rounds", "present"], placements)
        let replays = Self.replayPolicies.compactMap { policy -> [Cell]? in
            guard let finding = findings[replayKey(policy)], let seconds = finding.seconds else { return nil }
            return [Cell(policy), .number(seconds, decimals: 2), .number(Double(finding.count) / seconds, decimals: 0)]
        }
        if !replays.isEmpty {
            let number = DecimalText.fixed(Double(Self.replayQueries), decimals: 0)
            chapter.text(
                """
                A whole simulation of \(number) queries of S70 on \(Self.replayWorkers) workers, the fastest of
                \(Self.replays) runs:
                """
            )
            chapter.table(["", "seconds", "queries simulated a second"], replays)
        }
        chapter.provenance(findings)
        return chapter
    }
}
