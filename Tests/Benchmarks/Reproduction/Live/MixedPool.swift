internal import ServingModel

/// Fast and slow workers in one pool, at a load that only a policy that knows the difference can serve: live and simulated.
struct MixedPool: Study {
    static let name = "mixed-pool"
    static let isSerial = true
    private static let rate = 32.0
    /// Those that run live, too.
    private static let livePolicies = ["aladdin", "jsq"]
    private static let policies = livePolicies + ["round-robin", "least-kv", "pending-prefill"]
    private static let objective = ServiceLevelObjective(
        timeToFirstToken: .seconds(rounding: 1),
        averageTokenTime: .seconds(rounding: 0.04)
    )

    struct Finding: Codable, Sendable {
        var figures: Deployment.Figures
    }

    let data: DataFolder

    private func seconds(_ scope: Scope) -> Double { scope == .full ? 300 : 60 }

    private func deployment(_ scope: Scope) -> Deployment {
        Deployment(
            data: data,
            workers: ["rtxpro6000", "rtxpro6000", "rtx4090", "rtx4090"],
            mode: .chunked,
            trace: "sharegpt_opt_poisson16.csv",
            rate: Self.rate,
            seconds: seconds(scope),
            objective: Self.objective
        )
    }

    private static func key(_ policy: String, _ kind: String) -> QuestionKey { QuestionKey(kind, policy: policy) }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        let deployment = deployment(scope)
        let live = Self.livePolicies.map { policy in
            Question(Self.key(policy, "live")) { Finding(figures: try deployment.live(policy)) }
        }
        let simulated = Self.policies.map { policy in
            Question(Self.key(policy, "simulated")) { Finding(figures: try deployment.simulated(policy)) }
        }
        return live + simulated
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Unequal workers in one pool")
        chapter.text(
            """
            Two emulated RTX PRO 6000 and two RTX 4090 serve Llama-3.1-8B with chunked prefills; their profiles are fits of
            `aladdin calibrate` to measured kernel times. A 4090 takes half as long again for a step, 2.7 times as long for a
            prompt, and has room for a tenth of the tokens. ShareGPT's lengths arrive at \(Self.rate.plain) queries a second for
            \(seconds(findings.scope).plain) s; the promises are \(Int(Self.objective.timeToFirstToken.seconds * 1000)) ms to the
            first token and \(Int(Self.objective.averageTokenTime.seconds * 1000)) ms a token. *Live* is the service as
            processes, by the wall clock.
            """
        )
        let rows = Self.policies.flatMap { policy in
            ["live", "simulated"].compactMap { kind in
                findings[Self.key(policy, kind)]?.figures.row("\(policy), \(kind)")
            }
        }
        chapter.table(Deployment.Figures.header, rows)
        chapter.provenance(findings, seeds: [1])
        return chapter
    }
}
