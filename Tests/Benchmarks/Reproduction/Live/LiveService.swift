internal import ServingModel

/// A real deployment of processes with emulated workers, against the simulation of the same queries.
///
/// It needs the built product and five minutes a policy on a machine that does nothing else.
struct LiveService: Study {
    static let name = "live"
    static let isSerial = true
    private static let workers = 8
    private static let setting = "S13"
    /// Queries per second: about 0.7 of what the workers can do.
    private static let rate = 18.0
    private static let policies = ["aladdin", "jsq", "round-robin"]

    struct Finding: Codable, Sendable {
        var live: Deployment.Figures
        var simulated: Deployment.Figures
    }

    let data: DataFolder

    private func seconds(_ scope: Scope) -> Double { scope == .full ? 300 : 60 }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let setting = try data.setting(Self.setting)
        let deployment = Deployment(
            data: data,
            workers: Array(repeating: setting.profile, count: Self.workers),
            mode: .prefillPriority,
            trace: setting.trace,
            rate: Self.rate,
            seconds: seconds(scope),
            objective: setting.objective
        )
        return (scope == .full ? Self.policies : ["aladdin"]).map { policy in
            Question(QuestionKey(policy: policy)) {
                Finding(live: try deployment.live(policy), simulated: try deployment.simulated(policy))
            }
        }
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("The simulator against the running service")
        chapter.text(
            """
            A broker, a scheduler and eight workers as processes of their own, talking over ZeroMQ. The workers' engines are
            emulated: each step takes as long as the profile says, by the wall clock. `aladdin bench` sends ShareGPT's lengths
            at \(Self.rate.plain) queries a second for \(seconds(findings.scope).plain) s; the simulation gets the same
            queries. The aim was 2 points in attainment and 10 % in the quantiles. Of this page's figures only these, and those
            of the chapters that say so, depend on the machine.
            """
        )
        let found = Self.policies.compactMap { policy in
            findings[QuestionKey(policy: policy)].map { (policy, $0) }
        }
        let rows = found.flatMap { policy, finding in
            [finding.live.row("\(policy), live"), finding.simulated.row("\(policy), simulated")]
        }
        chapter.table(Deployment.Figures.header, rows)
        chapter.provenance(findings, seeds: [1])
        return chapter
    }
}
