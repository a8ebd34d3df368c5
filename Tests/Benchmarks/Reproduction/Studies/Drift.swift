internal import Reports
internal import ServingModel
internal import Simulation

/// How long it takes a policy to get back to its promises after the load has changed.
struct Drift: Study {
    static let name = "drift"
    private static let change = 300.0
    private static let duration = 900.0
    private static let window = 10.0

    /// Attainment by time of arrival.
    struct Finding: Codable, Sendable {
        var workers: Int
        /// Of the queries that arrived in each window, the seeds together; nil in a window without.
        var windows: [Double?]
        var before: Double
        var after: Double
    }

    private struct Case {
        var title: String
        var lengths = 1.0
        var rate = 1.0
    }

    private static let cases = [
        Case(title: "lengths double", lengths: 2), Case(title: "the rate rises by half", rate: 1.5),
    ]

    let data: DataFolder

    private func policies(_ scope: Scope) -> [ComparedPolicy] {
        scope == .full ? [.aladdin, .paper, .roundRobin, .jsq] : [.aladdin, .paper, .jsq]
    }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let setting = try data.setting("S70")
        return Self.cases.flatMap { item in
            policies(scope).map { policy in
                Question(key(item, policy)) { try find(item, policy, setting, scope) }
            }
        }
    }

    private func key(_ item: Case, _ policy: ComparedPolicy) -> QuestionKey {
        QuestionKey(item.title, policy: policy.title)
    }

    /// The fleet is large enough for the load after the change, so that a policy that has understood can keep up.
    private func find(
        _ item: Case,
        _ policy: ComparedPolicy,
        _ setting: LoadSetting,
        _ scope: Scope
    ) throws -> Finding {
        var setting = setting
        setting.durationS = Self.duration
        // Half the rate: doubled lengths are twice the work and more.
        setting.rate /= 2
        var changed = setting
        changed.rate *= item.rate
        var study = try setting.study(data, .prefillPriority, seeds: scope.seeds)
        study.plan.changes = [.drift(fromSeconds: Self.change, lengths: item.lengths, rate: item.rate)]
        let meanField = try changed.meanField(data, lengths: item.lengths)
        let workers = Int((meanField / 0.9).rounded(.up))
        let runs = try study.workloads().compactMap { try study.run(policy.name, workers: workers, $0) }
        return Finding(
            workers: workers,
            windows: stride(from: 0, to: Self.duration, by: Self.window).map {
                Self.attainment(runs, from: $0, to: $0 + Self.window)
            },
            before: Self.attainment(runs, from: setting.warmupS, to: Self.change) ?? 1,
            after: Self.attainment(runs, from: Self.change, to: Self.duration) ?? 1
        )
    }

    private static func attainment(_ runs: [SimulationRun], from begin: Double, to end: Double) -> Double? {
        var queries = 0
        var met = 0
        for run in runs {
            for (query, record) in zip(run.workload.queries, run.records)
            where query.arrival.seconds >= begin && query.arrival.seconds < end {
                queries += 1
                if query.isMet(by: record) { met += 1 }
            }
        }
        return queries > 0 ? Double(met) / Double(queries) : nil
    }

    /// Seconds from the change until 98 % was reached and, on average, kept for 60 s; nil if it never was.
    private func recovery(_ finding: Finding) -> Double? {
        let first = Int(Self.change / Self.window)
        let minute = Int(60 / Self.window)
        for index in first..<max(first, finding.windows.count - minute) {
            let next = finding.windows[index..<(index + minute)].compactMap(\.self)
            let mean = next.reduce(0, +) / Double(max(next.count, 1))
            if mean >= 0.98, (finding.windows[index] ?? 1) >= 0.98 { return Double(index - first) * Self.window }
        }
        return nil
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("When the load changes")
        chapter.text(
            """
            ShareGPT lengths on the 70B at half of S70's rate. After 300 s the load changes for good. The fleet is large
            enough for what comes after (N_mf / 0.9 of the new load), but the history of lengths is that of the old one. A
            policy has recovered when it reaches 98 % again and keeps it for a minute.
            """
        )
        for item in Self.cases {
            chapter.heading("After 300 s \(item.title)")
            let found = policies(findings.scope).compactMap { policy in
                findings[key(item, policy)].map { (policy.title, $0) }
            }
            let rows = found.map { title, finding -> [Cell] in
                let time = recovery(finding)
                return [
                    Cell(title), .count(finding.workers), .share(finding.before), .share(finding.after),
                    time.map { .number($0, decimals: 0) } ?? Cell("never"),
                ]
            }
            chapter.table(["", "workers", "attainment before", "after", "recovered after, s"], rows)
            let series = found.map { title, finding in
                let points = finding.windows.enumerated().compactMap { index, share in
                    share.map { Series.Point((Double(index) + 0.5) * Self.window, $0) }
                }
                return Series.line(title, points, emphasised: title == ComparedPolicy.aladdin.title)
            }
            let plot = Plot(
                "Attainment over time: \(item.title)",
                summary: "A dip at 300 s, and how each policy comes out of it",
                x: Axis("arrival", .seconds),
                y: Axis("attainment", .fraction, range: 0...1),
                series: series,
                references: [.x(Self.change, "change")]
            )
            chapter.picture(
                "drift-" + (item.lengths > 1 ? "lengths" : "rate"),
                plot,
                caption: "Queries that arrived in the same ten seconds."
            )
        }
        chapter.provenance(findings)
        return chapter
    }
}
