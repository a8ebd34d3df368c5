internal import Simulation

/// Split-phase serving (mode C): the smallest decode pool, by policy.
struct SplitPhaseDecode: Study {
    static let name = "split-phase"

    let data: DataFolder

    private func settings(_ scope: Scope) throws -> [LoadSetting] {
        try (scope == .full ? ["S70", "S13", "Z8"] : ["S70"]).map { try data.setting($0) }
    }

    static func policies(_ scope: Scope) -> [ComparedPolicy] {
        let paper = ComparedPolicy(title: "aladdin-paper", name: "aladdin-paper:decode-only=on")
        let oracle = ComparedPolicy(title: "aladdin-paper, lengths known", name: paper.name, lengths: .oracle)
        let few = [ComparedPolicy.aladdin, paper, .roundRobin, .jsq, .powerOfTwo]
        return scope == .full ? few + [oracle, ComparedPolicy(title: "least-kv", name: "least-kv")] : few
    }

    func questions(_ scope: Scope) throws -> [Question<MinimumFinding>] {
        let data = data
        return try settings(scope).flatMap { setting in
            Self.policies(scope).map { policy in
                Question(key(setting, policy)) { try SplitFleet(data, setting).minimum(data, policy, scope) }
            }
        }
    }

    private func key(_ setting: LoadSetting, _ policy: ComparedPolicy) -> QuestionKey {
        QuestionKey(setting.name, policy: policy.title)
    }

    func chapter(_ findings: Findings<MinimumFinding>) throws -> Chapter {
        var chapter = Chapter("Split-phase serving: the decode pool")
        let settings = try settings(findings.scope)
        chapter.text(
            """
            Prompts are computed by workers of their own, 60 % busy, the least loaded first; their KV caches then move to the
            decode workers at 25 GB/s. The policy places decodes only, and the number is that of decode workers. No prompt
            halts an answer here. What is left to go wrong is short answers at high targets: an answer of two tokens has one
            token's time for the move, for the rest of the step under way and for a step of its own, so it needs a worker
            whose steps are far shorter than the promise. Equal loads everywhere offer it none.
            """
        )
        for target in findings.scope.targets.reversed() {
            let rows = Self.policies(findings.scope).map { policy in
                [Cell(policy.title)]
                    + settings.map { findings[key($0, policy)]?.cell(at: target) ?? .count(nil) }
            }
            let title = "decode workers for \(Cell.share(target, decimals: 0).text)"
            chapter.table([title] + settings.map(\.name), rows, best: .least)
        }
        let pools = try settings.map { "\($0.name): \(try SplitFleet(data, $0).prefillWorkers)" }
        chapter.text("Prefill workers: \(pools.joined(separator: ", ")).")
        chapter.provenance(findings)
        return chapter
    }
}
