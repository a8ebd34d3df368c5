internal import Simulation

/// Which mechanisms of hold and dispatch matter: each switched off, one at a time.
struct Ablations: Study {
    static let name = "ablations"

    let data: DataFolder

    private func settings(_ scope: Scope) throws -> [LoadSetting] {
        try (scope == .full ? ["S70", "Z8", "S13"] : ["S70"]).map { try data.setting($0) }
    }

    private func variants(_ setting: LoadSetting) -> [StudyVariant] {
        [
            StudyVariant("as it is", setting),
            StudyVariant("sends at once", setting, policy: "aladdin:hold=off"),
            StudyVariant("sends one by one", setting, policy: "aladdin:batch=off"),
            StudyVariant("does not weigh hazards", setting, policy: "aladdin:hazard=off"),
            StudyVariant("considers all workers", setting, policy: "aladdin:align=off"),
            StudyVariant("does not shed", setting, policy: "aladdin:shed=off"),
            StudyVariant("packs", setting, policy: "aladdin:balance=-0.05"),
            StudyVariant("knows no lengths beforehand", setting).with { $0.beginsWithoutHistory = true },
            StudyVariant("knows every length", setting).with { $0.lengths = .oracle },
            StudyVariant("aladdin-paper", setting, policy: "aladdin-paper"),
            StudyVariant("aladdin-paper, lengths known", setting, policy: "aladdin-paper:theta=0.7")
                .with { $0.lengths = .oracle },
            StudyVariant("aladdin-paper, no rebalancing", setting, policy: "aladdin-paper:rebalance=off"),
            StudyVariant("aladdin-paper, no holding", setting, policy: "aladdin-paper:hold=off"),
            StudyVariant("aladdin-paper, chance constraints", setting, policy: "aladdin-paper:chance=on"),
        ]
    }

    func questions(_ scope: Scope) throws -> [Question<MinimumFinding>] {
        let data = data
        return try settings(scope).flatMap { setting in
            variants(setting).map { variant in
                Question(key(setting, variant)) { try variant.minimum(data, scope) }
            }
        }
    }

    private func key(_ setting: LoadSetting, _ variant: StudyVariant) -> QuestionKey {
        QuestionKey(setting.name, variant.title, policy: variant.policy)
    }

    func chapter(_ findings: Findings<MinimumFinding>) throws -> Chapter {
        var chapter = Chapter("What each mechanism is worth")
        chapter.text(
            """
            Workers for 99 % in prefill-priority mode with one mechanism off, all others on. A smaller number without a
            mechanism means that it does not help there. `aladdin` has a switch for each, so that the rows are policies by
            name.
            """
        )
        let settings = try settings(findings.scope)
        guard let first = settings.first else { return chapter }
        let rows = variants(first).enumerated().map { index, variant in
            [Cell(variant.title), Cell("`\(variant.policy)`")]
                + settings.map { setting in
                    findings[key(setting, variants(setting)[index])]?.cell(at: 0.99) ?? .count(nil)
                }
        }
        chapter.table(["", "policy"] + settings.map(\.name), rows)
        chapter.provenance(findings)
        return chapter
    }
}
