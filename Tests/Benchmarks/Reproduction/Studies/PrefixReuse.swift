internal import Scheduling
internal import ServingModel
internal import Simulation

/// What kept beginnings of prompts are worth, and who finds them again: coding agents in closed loops.
struct PrefixReuse: Study {
    static let name = "prefix-reuse"
    private static let profile = "p8"
    private static let objective = ServiceLevelObjective(
        timeToFirstToken: .seconds(10),
        averageTokenTime: .milliseconds(50)
    )
    private static let target = 0.99
    private static let largest = 120

    /// What the sessions have in common.
    private enum Kind: String, CaseIterable {
        case own = "own beginnings"
        /// About what the shortest first call of the trace has, so that it may be a system prompt with its tools.
        case common = "16,384 tokens in common"

        var commonTokens: Int { self == .own ? 0 : 16_384 }
    }

    struct Finding: Codable, Sendable {
        /// The smallest fleet for the target; nil if none up to the largest is enough.
        var workers: Int?
        var sessions: Int
        /// Of that fleet.
        var figures: RunFigures?
        /// The share of prompt tokens that were not computed.
        var cached: Double
        /// Queries of the worker that got the most, over those of the average one.
        var unevenness: Double
    }

    private struct Variant {
        let title: String
        let policy: String
        var keeps = true
    }

    let data: DataFolder

    private func variants(_ scope: Scope) -> [Variant] {
        let kept = [
            Variant(title: "aladdin", policy: "aladdin"),
            Variant(title: "aladdin, does not look for them", policy: "aladdin:prefix=off"),
            Variant(title: "jsq", policy: "jsq"),
            Variant(title: "cache-aware", policy: "cache-aware"),
        ]
        let more = ["weighted", "kv-cost", "round-robin"].map { Variant(title: $0, policy: $0) }
        let none = [
            Variant(title: "nothing kept: aladdin", policy: "aladdin", keeps: false),
            Variant(title: "nothing kept: jsq", policy: "jsq", keeps: false),
        ]
        return kept + (scope == .full ? more : []) + none
    }

    private func copies(_ scope: Scope) -> Int { scope == .full ? 24 : 6 }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        Kind.allCases.flatMap { kind in
            variants(scope).filter { $0.keeps || kind == .own }.map { variant in
                Question(key(kind, variant)) { try find(kind, variant, scope) }
            }
        }
    }

    private func key(_ kind: Kind, _ variant: Variant) -> QuestionKey {
        QuestionKey(kind.rawValue, policy: variant.title)
    }

    private func find(_ kind: Kind, _ variant: Variant, _ scope: Scope) throws -> Finding {
        let profile = try data.profile(Self.profile)
        let trace = try data.trace("agent_swebench.csv")
        let workloads = scope.seeds.map { seed in
            AgentSessions.workload(
                trace,
                profile,
                copies: copies(scope),
                commonTokens: kind.commonTokens,
                objective: Self.objective,
                seed: seed
            )
        }
        var search = MinimumWorkers(
            from: 1,
            through: Self.largest,
            attainment: Self.target,
            queries: workloads.map(\.counted.count)
        )
        func cluster(_ workers: Int) -> ClusterRun {
            var configuration = ClusterSimulation.Configuration(mode: .chunked)
            configuration.keepsPrefixes = variant.keeps
            let profiles = Array(repeating: profile, count: workers)
            return ClusterRun(profiles: profiles, policy: variant.policy, configuration: configuration)
        }
        while let trial = search.next(ahead: false) {
            let run = try cluster(trial.workers).run(workloads[trial.seed], allowedMisses: trial.allowedMisses)
            search.take(trial, misses: run?.misses)
        }
        guard case .found(let workers) = search.answer else {
            return Finding(workers: nil, sessions: 46 * copies(scope), cached: 0, unevenness: 0)
        }
        let runs = try workloads.map { try cluster(workers).run($0) }
        return Finding(
            workers: workers,
            sessions: 46 * copies(scope),
            figures: RunFigures(runs, workers: workers),
            cached: runs.reduce(0) { $0 + $1.cachedPromptShare } / Double(runs.count),
            unevenness: runs.reduce(0) { $0 + Self.unevenness($1, workers) } / Double(runs.count)
        )
    }

    private static func unevenness(_ run: SimulationRun, _ workers: Int) -> Double {
        var counts = Array(repeating: 0, count: workers)
        for record in run.records { if let worker = record.worker { counts[worker] += 1 } }
        return Double(counts.max() ?? 0) * Double(workers) / Double(max(1, counts.reduce(0, +)))
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Beginnings of prompts that workers keep")
        chapter.text(
            """
            The same coding agents, TTFT 10 s and ATGT 50 ms, chunked, on workers that keep the beginnings of prompts in what
            their KV caches have free, the least recently used given up first. Each call's prompt is the one before and more,
            so that most of it has been computed somewhere. Who sends the call there needs far fewer workers; who sends too
            many there makes them wait. *In common* is a system prompt that all sessions share, the case in which policies that
            go by the longest match pile queries onto few workers: the last column is how many queries the busiest worker got
            for each one of the average.
            """
        )
        for kind in Kind.allCases {
            let rows = variants(findings.scope).compactMap { variant -> [Cell]? in
                guard let finding = findings[key(kind, variant)] else { return nil }
                guard let figures = finding.figures else {
                    return [Cell(variant.title), Cell("> \(Self.largest)")] + Array(repeating: .count(nil), count: 5)
                }
                return [
                    Cell(variant.title), .count(finding.workers), .share(figures.attainment), .share(finding.cached),
                    .number(figures.firstToken.p50, decimals: 2), .number(figures.firstToken.p99, decimals: 2),
                    .number(finding.unevenness, decimals: 2),
                ]
            }
            guard !rows.isEmpty else { continue }
            let sessions = 46 * copies(findings.scope)
            chapter.heading("\(sessions) sessions, \(kind.rawValue)")
            chapter.table(
                [
                    "", "workers for 99 %", "attainment", "of prompts, not computed", "TTFT p50, s", "p99, s",
                    "busiest / average",
                ],
                rows
            )
        }
        chapter.provenance(findings)
        return chapter
    }
}
