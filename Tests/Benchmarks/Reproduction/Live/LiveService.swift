internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

/// A real deployment of processes with emulated workers, against the simulation of the same queries.
///
/// It needs the built product and five minutes a policy on a machine that does nothing else.
struct LiveService: Study {
    static let name = "live"
    static let isSerial = true
    static let workers = 8
    private static let setting = "S13"
    /// Queries per second: about 0.7 of what the workers can do.
    private static let rate = 18.0
    private static let policies = ["aladdin", "jsq", "round-robin"]

    struct Figures: Codable, Sendable {
        var attainment: Double
        /// Milliseconds.
        var firstTokenP50: Double
        var firstTokenP99: Double
        var tokenTimeP50: Double
        var tokenTimeP99: Double
        var queries: Int
    }

    struct Finding: Codable, Sendable {
        var live: Figures
        var simulated: Figures
    }

    let data: DataFolder

    private func seconds(_ scope: Scope) -> Double { scope == .full ? 300 : 60 }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let setting = try data.setting(Self.setting)
        return (scope == .full ? Self.policies : ["aladdin"]).map { policy in
            Question(QuestionKey(policy: policy)) {
                let deployment = Deployment(root: data.root, profile: setting.profile, policy: policy)
                let live = try deployment.bench(
                    [
                        "--trace", "Tests/Data/traces/\(setting.trace)", "--rate", "\(Self.rate)",
                        "--duration-s", "\(seconds(scope))", "--slo-ttft-ms", "\(setting.sloTtftMs)",
                        "--slo-atgt-ms", "\(setting.sloAtgtMs)",
                    ]
                )
                return Finding(live: live, simulated: try simulate(setting, policy, seconds(scope)))
            }
        }
    }

    /// What `aladdin bench` sends, on simulated workers.
    private func simulate(_ setting: LoadSetting, _ policy: String, _ seconds: Double) throws -> Figures {
        let trace = try data.trace(setting.trace)
        let sent = trace.scaled(rateBy: Self.rate / trace.rate).lasting(.seconds(rounding: seconds))
        let queries = sent.entries.map {
            SimulatedQuery(
                arrival: .zero + $0.arrival,
                inputTokens: $0.inputTokens,
                outputTokens: $0.outputTokens,
                objective: setting.objective
            )
        }
        let workload = StudyWorkload(
            seed: 1,
            queries: queries,
            lengths: LengthHistory(),
            seconds: seconds,
            warmUpSeconds: 0
        )
        var configuration = ClusterSimulation.Configuration(mode: .prefillPriority)
        // The bench sends each answer's length as a hint.
        configuration.tellsLengths = true
        let run = ClusterRun(
            profiles: Array(repeating: try setting.workerProfile(data), count: Self.workers),
            policy: policy,
            configuration: configuration
        )
        let figures = RunFigures([try run.run(workload)], workers: Self.workers)
        return Figures(
            attainment: figures.attainment,
            firstTokenP50: figures.firstToken.p50 * 1000,
            firstTokenP99: figures.firstToken.p99 * 1000,
            tokenTimeP50: figures.tokenTime.p50 * 1000,
            tokenTimeP99: figures.tokenTime.p99 * 1000,
            queries: queries.count
        )
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("The simulator against the running service")
        chapter.text(
            """
            A broker, a scheduler and eight workers as processes of their own, talking over ZeroMQ. The workers' engines are
            emulated: each step takes as long as the profile says, by the wall clock. `aladdin bench` sends ShareGPT's lengths
            at \(Self.rate.plain) queries a second for \(seconds(findings.scope).plain) s; the simulation gets the same
            queries. The aim was 2 points in attainment and 10 % in the quantiles. These are the only figures of this page
            that depend on the machine.
            """
        )
        let found = Self.policies.compactMap { policy in
            findings[QuestionKey(policy: policy)].map { (policy, $0) }
        }
        let rows = found.flatMap { policy, finding -> [[Cell]] in
            [row("\(policy), live", finding.live), row("\(policy), simulated", finding.simulated)]
        }
        let header = [
            "", "queries", "attainment", "TTFT p50, ms", "p99, ms", "ATGT p50, ms", "p99, ms",
        ]
        chapter.table(header, rows)
        chapter.provenance(findings)
        return chapter
    }

    private func row(_ title: String, _ figures: Figures) -> [Cell] {
        [
            Cell(title), .count(figures.queries), .share(figures.attainment), .number(figures.firstTokenP50),
            .number(figures.firstTokenP99), .number(figures.tokenTimeP50), .number(figures.tokenTimeP99),
        ]
    }
}
