internal import Brokering
internal import Reports
internal import ServingModel
internal import Simulation

/// What becomes of a service that is asked for three times what it can do, for a minute, with admission control and
/// without.
struct Overload: Study {
    static let name = "overload"
    /// Of the mean-field capacity, before and after.
    private static let load = 0.9
    private static let overload = 3.0
    private static let begin = 120.0
    private static let end = 180.0
    private static let duration = 300.0
    /// What admission control has to find its footing.
    private static let grace = 20.0
    private static let window = 5.0
    /// Shares of the capacity at which a policy shows, without admission control, what it can do at best.
    private static let lowerLoads = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    /// Of the settings' rates: what is found is a matter of the load, not of the fleet's size.
    private static let rateScale = 0.4

    struct Finding: Codable, Sendable {
        var workers: Int
        /// Queries a second that kept both promises, by arrival in windows of five seconds; the mean of the seeds.
        var goodput: [Double]
        var before: Double
        /// From the grace's end to the overload's.
        var during: Double
        /// Seconds from the overload's end until the queries of a window are kept their promises as before it.
        var recovery: Double?
        /// Of the queries that arrived in the overload.
        var refused: Double
        /// Of the queries that arrived before it.
        var refusedBefore: Double
        /// The highest goodput at a lower load, and that load; of admission off only.
        var best: Double?
        var bestLoad: Double?
    }

    let data: DataFolder

    private func settings() throws -> [LoadSetting] {
        try ["S70", "Z8"].map { name in
            var setting = try data.setting(name)
            setting.durationS = Self.duration
            setting.warmupS = 60
            setting.rate *= Self.rateScale
            return setting
        }
    }

    private func modes(_ scope: Scope) -> [BatchingMode] {
        scope == .full ? [.prefillPriority, .chunked] : [.prefillPriority]
    }

    private func policies(_ scope: Scope) -> [ComparedPolicy] {
        scope == .full ? [.aladdin, .paper, .roundRobin, .jsq] : [.aladdin, .jsq]
    }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        try settings().flatMap { setting in
            modes(scope).flatMap { mode in
                policies(scope).flatMap { policy in
                    [true, false].map { admits in
                        Question(key(setting, mode, policy, admits)) {
                            try find(setting, mode, policy, admits, scope)
                        }
                    }
                }
            }
        }
    }

    private func key(
        _ setting: LoadSetting,
        _ mode: BatchingMode,
        _ policy: ComparedPolicy,
        _ admits: Bool
    ) -> QuestionKey {
        QuestionKey(setting.name, mode.rawValue, admits ? "admission" : "all", policy: policy.title)
    }

    private func find(
        _ setting: LoadSetting,
        _ mode: BatchingMode,
        _ policy: ComparedPolicy,
        _ admits: Bool,
        _ scope: Scope
    ) throws -> Finding {
        let workers = Int((try setting.meanField(data) / Self.load).rounded(.up))
        var study = try setting.study(data, mode, seeds: scope.seeds)
        study.plan.changes = [
            .burst(
                fromSeconds: Self.begin,
                lastingSeconds: Self.end - Self.begin,
                rate: Self.overload / Self.load
            )
        ]
        study.admission = admits ? AdmissionSettings() : nil
        let runs = try study.workloads().compactMap { try study.run(policy.name, workers: workers, $0) }
        let best = admits ? nil : try best(of: policy, setting, mode, workers: workers, scope)
        return Finding(
            workers: workers,
            goodput: stride(from: 0, to: Self.duration, by: Self.window).map {
                Self.goodput(of: runs, from: $0, to: $0 + Self.window)
            },
            before: Self.goodput(of: runs, from: setting.warmupS, to: Self.begin),
            during: Self.goodput(of: runs, from: Self.begin + Self.grace, to: Self.end),
            recovery: Self.recovery(of: runs, warmUp: setting.warmupS),
            refused: Self.share(of: runs, from: Self.begin, to: Self.end) { $1.refusal != nil },
            refusedBefore: Self.share(of: runs, from: setting.warmupS, to: Self.begin) { $1.refusal != nil },
            best: best?.goodput,
            bestLoad: best?.load
        )
    }

    /// The most that a policy does on this fleet at any load up to the capacity.
    private func best(
        of policy: ComparedPolicy,
        _ setting: LoadSetting,
        _ mode: BatchingMode,
        workers: Int,
        _ scope: Scope
    ) throws -> (goodput: Double, load: Double)? {
        try Self.lowerLoads.map { load in
            var lower = setting
            lower.rate *= load / Self.load
            let study = try lower.study(data, mode, seeds: scope.seeds)
            let runs = try study.workloads().compactMap { try study.run(policy.name, workers: workers, $0) }
            return (Self.goodput(of: runs, from: lower.warmupS, to: Self.duration), load)
        }.max { $0.0 < $1.0 }
    }

    private static func goodput(of runs: [SimulationRun], from begin: Double, to end: Double) -> Double {
        let met = runs.reduce(0) { sum, run in
            sum
                + zip(run.workload.queries, run.records).count { query, record in
                    (begin..<end).contains(query.arrival.seconds) && query.isMet(by: record)
                }
        }
        return Double(met) / Double(runs.count) / (end - begin)
    }

    private static func share(
        of runs: [SimulationRun],
        from begin: Double,
        to end: Double,
        _ isCounted: (SimulatedQuery, Simulation.QueryRecord) -> Bool
    ) -> Double {
        var (queries, counted) = (0, 0)
        for run in runs {
            for (query, record) in zip(run.workload.queries, run.records)
            where (begin..<end).contains(query.arrival.seconds) {
                queries += 1
                if isCounted(query, record) { counted += 1 }
            }
        }
        return queries > 0 ? Double(counted) / Double(queries) : 0
    }

    private static func recovery(of runs: [SimulationRun], warmUp: Double) -> Double? {
        let isMet: (SimulatedQuery, Simulation.QueryRecord) -> Bool = { $0.isMet(by: $1) }
        let usual = share(of: runs, from: warmUp, to: Self.begin, isMet)
        return stride(from: Self.end, to: duration - window, by: 1).first {
            share(of: runs, from: $0, to: $0 + window, isMet) >= 0.95 * usual
        }.map { $0 - Self.end }
    }
}

extension Overload {
    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Three times too much")
        chapter.text(
            """
            S70 and Z8 at 0.4 of their rates, on workers enough for a load of 0.9 of their mean-field capacity; and for one
            minute three times that capacity. *Best below* is the most
            that the policy does on the same workers at any steady load up to the capacity, without admission control. *During*
            begins 20 s after the overload has. A policy has recovered when the queries of five seconds are kept their
            promises nearly as often as before. With admission control queries that could not be served in time are refused
            when they come; refused ones count as missed.
            """
        )
        for setting in try settings() {
            for mode in modes(findings.scope) { add(setting, mode, findings, to: &chapter) }
        }
        chapter.provenance(findings)
        return chapter
    }

    private func add(
        _ setting: LoadSetting,
        _ mode: BatchingMode,
        _ findings: Findings<Finding>,
        to chapter: inout Chapter
    ) {
        var rows: [[Cell]] = []
        var series: [Series] = []
        var workers = 0
        for policy in policies(findings.scope) {
            guard let all = findings[key(setting, mode, policy, false)] else { continue }
            let admitted = findings[key(setting, mode, policy, true)]
            workers = all.workers
            for (finding, title) in [(all, policy.title), (admitted, "\(policy.title), admission")] {
                guard let finding else { continue }
                rows.append([
                    Cell(title), .number(all.best).asBound, .number(finding.before), .number(finding.during),
                    .share(all.best.map { finding.during / $0 }), .share(finding.refused),
                    .share(finding.refusedBefore, decimals: 2),
                    finding.recovery.map { .number($0, decimals: 0) } ?? Cell("not in two minutes"),
                ])
                let points = finding.goodput.enumerated().map { index, goodput in
                    Series.Point((Double(index) + 0.5) * Self.window, goodput)
                }
                series.append(.line(title, points, emphasised: title == "aladdin, admission"))
            }
        }
        guard !rows.isEmpty else { return }
        chapter.heading("\(setting.name), \(mode.rawValue), \(workers) workers")
        let header = [
            "", "best below, queries/s", "before", "during", "during / best", "refused", "refused before",
            "recovered after, s",
        ]
        chapter.table(header, rows)
        let plot = Plot(
            "Goodput through an overload: \(setting.name), \(mode.rawValue)",
            summary: "With admission control goodput stays where it was; without it falls and comes back late",
            x: Axis("arrival", .seconds),
            y: Axis("goodput, queries/s", .number, includesZero: true),
            series: series,
            references: [.x(Self.begin, "three times"), .x(Self.end, "as before")]
        )
        chapter.picture(
            "overload-\(setting.name.lowercased())-\(mode.rawValue)",
            plot,
            caption: "Queries that arrived in the same five seconds, as many of them as were kept their promises."
        )
    }
}
