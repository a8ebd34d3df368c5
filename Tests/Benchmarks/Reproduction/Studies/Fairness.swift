internal import ServingModel
internal import Simulation

/// Whether queries of other promises and other tenants fare alike: three classes, four tenants, one fleet.
struct Fairness: Study {
    static let name = "fairness"

    struct Finding: Codable, Sendable {
        var workers: Int
        var attainment: Double
        var classes: [RunFigures.Group]
        var tenants: [RunFigures.Group]
    }

    /// What a class is promised.
    private struct PromiseClass {
        var name: String
        var objective: ServiceLevelObjective
    }

    private static let classes = [
        PromiseClass(
            name: "1 s, 80 ms",
            objective: .init(timeToFirstToken: .milliseconds(1000), averageTokenTime: .milliseconds(80))
        ),
        PromiseClass(name: "2 s, 100 ms", objective: .standard),
        PromiseClass(
            name: "10 s, 200 ms",
            objective: .init(timeToFirstToken: .milliseconds(10_000), averageTokenTime: .milliseconds(200))
        ),
    ]
    /// Shares of the tenants, in tenths.
    private static let tenants = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    /// N_mf, computed as if all had the tightest promise, over the fleet's size.
    private static let utilisations = [0.9, 1.15]

    let data: DataFolder

    private func policies(_ scope: Scope) -> [ComparedPolicy] {
        scope == .full ? [.aladdin, .paper, .roundRobin, .jsq, ComparedPolicy.all[11]] : [.aladdin, .paper, .jsq]
    }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let setting = try data.setting("S70")
        return Self.utilisations.flatMap { utilisation in
            policies(scope).map { policy in
                Question(key(utilisation, policy)) { try find(utilisation, policy, setting, scope) }
            }
        }
    }

    private func key(_ utilisation: Double, _ policy: ComparedPolicy) -> QuestionKey {
        QuestionKey("load \(utilisation.plain)", policy: policy.title)
    }

    private func find(
        _ utilisation: Double,
        _ policy: ComparedPolicy,
        _ setting: LoadSetting,
        _ scope: Scope
    ) throws -> Finding {
        let study = try setting.study(data, .prefillPriority, seeds: scope.seeds)
        var tightest = setting
        tightest.sloAtgtMs = Self.classes.map(\.objective.averageTokenTime.milliseconds).min() ?? setting.sloAtgtMs
        let workers = Int((try tightest.meanField(data) / utilisation).rounded(.up))
        let runs = try study.workloads().compactMap { workload in
            try study.run(policy.name, workers: workers, Self.divided(workload))
        }
        let figures = RunFigures(runs, workers: workers)
        return Finding(
            workers: workers,
            attainment: figures.attainment,
            classes: Self.classes.map { Self.group($0, of: runs) },
            tenants: figures.tenants
        )
    }

    /// The same queries with promises and tenants drawn for each.
    private static func divided(_ workload: StudyWorkload) -> StudyWorkload {
        var generator = SeededGenerator(seed: workload.seed &+ 17)
        var queries = workload.queries
        for index in queries.indices {
            let draw = Int.random(in: 0..<classes.count, using: &generator)
            queries[index].objective = classes[draw].objective
            var tenth = Int.random(in: 0..<10, using: &generator)
            for (tenant, tenths) in tenants {
                tenth -= tenths
                guard tenth < 0 else { continue }
                queries[index].tenant = tenant
                break
            }
        }
        return StudyWorkload(
            seed: workload.seed,
            queries: queries,
            lengths: workload.lengths,
            seconds: workload.seconds,
            warmUpSeconds: workload.warmUpSeconds
        )
    }

    private static func group(_ promise: PromiseClass, of runs: [SimulationRun]) -> RunFigures.Group {
        var group = RunFigures.Group(name: promise.name, attainment: 0, queries: 0)
        var met = 0
        for run in runs {
            for index in run.workload.counted where run.workload.queries[index].objective == promise.objective {
                group.queries += 1
                if run.workload.queries[index].isMet(by: run.records[index]) { met += 1 }
            }
        }
        group.attainment = Double(met) / Double(max(group.queries, 1))
        return group
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Classes and tenants")
        chapter.text(
            """
            S70's queries, each with one of three promises (TTFT, ATGT) and one of four tenants, who send 10, 20, 30 and 40 %
            of the load. No class has priority. Tighter promises are harder to keep on workers that are shared. Tenants differ
            by nothing but their share, so a difference between them that is more than chance is the scheduler's.
            """
        )
        for utilisation in Self.utilisations {
            let found = policies(findings.scope).compactMap { policy in
                findings[key(utilisation, policy)].map { (policy.title, $0) }
            }
            guard let first = found.first?.1 else { continue }
            let kind = utilisation > 1 ? "too few" : "enough for the tightest promise"
            chapter.heading("\(first.workers) workers: \(kind)")
            let header = ["", "all"] + first.classes.map(\.name) + first.tenants.map { "tenant \($0.name)" }
            let rows = found.map { title, finding in
                [Cell(title), .share(finding.attainment)]
                    + (finding.classes + finding.tenants).map { .share($0.attainment) }
            }
            chapter.table(header, rows)
        }
        chapter.provenance(findings)
        return chapter
    }
}
