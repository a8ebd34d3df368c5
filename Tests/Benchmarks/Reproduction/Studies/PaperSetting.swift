internal import Reports

/// The setting of the paper that Aladdin follows: ShareGPT lengths, its baselines, and its headline figures.
struct PaperSetting: Study {
    static let name = "paper-setting"
    private static let baselines = [ComparedPolicy.roundRobin, .jsq, .powerOfTwo]
    private static let ours = [ComparedPolicy.paper, .paperOracle, .aladdin]

    let data: DataFolder

    /// A load in a variety of the objectives and rates that the paper does not tell.
    private struct Case {
        var title: String
        var setting: LoadSetting
    }

    private func cases(_ scope: Scope) throws -> [Case] {
        var result: [Case] = []
        for name in ["S13", "S70"] {
            let base = try data.setting(name)
            for rate in scope == .full ? [0.5, 1] : [0.5] {
                for pace in [1.0, 1.5] {
                    var setting = base
                    setting.rate *= rate
                    setting.sloAtgtMs *= pace
                    let objective = "\(setting.sloTtftMs.plain)/\(setting.sloAtgtMs.plain) ms"
                    let speed = DecimalText.fixed(setting.rate, decimals: 0)
                    result.append(Case(title: "\(name), \(speed) queries/s, \(objective)", setting: setting))
                }
            }
        }
        return scope == .full ? result : [result[0], result[2]]
    }

    func questions(_ scope: Scope) throws -> [Question<MinimumFinding>] {
        let data = data
        return try cases(scope).flatMap { item in
            (Self.baselines + Self.ours).map { policy in
                Question(key(item, policy)) {
                    try StudyVariant(item.setting, policy).minimum(data, scope, targets: scope.targets)
                }
            }
        }
    }

    private func key(_ item: Case, _ policy: ComparedPolicy) -> QuestionKey {
        QuestionKey(item.title, policy: policy.title)
    }

    func chapter(_ findings: Findings<MinimumFinding>) throws -> Chapter {
        var chapter = Chapter("The paper's own setting")
        chapter.text(
            """
            Nie, Fonseca and Liu, *Aladdin: Joint Placement and Scaling for SLO-Aware LLM Serving* (2024), report up to 71 %
            fewer GPUs than default vLLM in continuous batching, and up to 60 % fewer than JSQ and 49 % fewer than power of
            two choices for the decode pool of split-phase serving, all by simulation. The objectives and rates behind
            these figures are not public, so they can't be repeated exactly. Here are ShareGPT's lengths on a 13B and a
            70B model under several objectives (TTFT/ATGT); default vLLM is taken as round-robin over its instances.
            """
        )
        let policies = Self.baselines + Self.ours
        for target in findings.scope.targets.reversed() {
            let rows = try cases(findings.scope).map { item in
                [Cell(item.title)] + policies.map { findings[key(item, $0)]?.cell(at: target) ?? .count(nil) }
            }
            chapter.table(["workers for \(Cell.share(target, decimals: 0).text)"] + policies.map(\.title), rows)
        }
        try savings(findings, &chapter)
        chapter.provenance(findings)
        return chapter
    }

    private func savings(_ findings: Findings<MinimumFinding>, _ chapter: inout Chapter) throws {
        let cases = try cases(findings.scope)
        let claims = [
            "round-robin": "up to 71 %", "jsq": "up to 60 % (split-phase)", "power-of-two": "up to 49 % (split-phase)",
        ]
        var rows: [[Cell]] = []
        for baseline in Self.baselines {
            for policy in Self.ours {
                let savings = cases.flatMap { item in
                    findings.scope.targets.compactMap { target -> Double? in
                        let theirs = findings[key(item, baseline)]?.workers(at: target)
                        let ours = findings[key(item, policy)]?.workers(at: target)
                        guard let theirs, let ours else { return nil }
                        return 1 - Double(ours) / Double(theirs)
                    }
                }
                let found = Distribution(savings)
                rows.append([
                    Cell("\(policy.title) against \(baseline.title)"), .share(found.mean, decimals: 0),
                    .share(found.ascending.first, decimals: 0), .share(found.ascending.last, decimals: 0),
                    .count(found.count), Cell(claims[baseline.title] ?? ""),
                ])
            }
        }
        chapter.text(
            """
            Workers saved, over the cases and targets in which both reach the target; a negative number means more workers.
            """
        )
        chapter.table(["", "mean", "least", "most", "cases", "the paper says"], rows)
        chapter.text(
            """
            "Up to" is the largest of many cases, so it belongs beside the column *most*; the mean is what to expect. Where a
            policy never reaches the target its case is not in the table, which favours it. The comparison of split-phase
            decode pools is in the section before.
            """
        )
    }
}
