/// Whether what holds for 26 workers holds for 6 and for 104.
struct FleetSizes: Study {
    static let name = "fleet-sizes"
    private static let factors = [0.25, 1, 4]

    let data: DataFolder

    private func variants(_ factor: Double, _ scope: Scope) throws -> [StudyVariant] {
        var setting = try data.setting("S70")
        setting.rate *= factor
        var policies = [ComparedPolicy.aladdin, .roundRobin]
        if scope == .full { policies += [.jsq, .powerOfTwo, .paper, .paperOracle] }
        return policies.map { policy in
            StudyVariant(setting, policy).with { $0.title = "rate × \(factor.plain) \(policy.title)" }
        }
    }

    func questions(_ scope: Scope) throws -> [Question<MinimumFinding>] {
        let data = data
        // The large fleet takes its time.
        let factors = scope == .full ? Self.factors : [0.25, 1]
        return try factors.flatMap { factor in
            try variants(factor, scope).map { variant in
                Question(key(variant)) {
                    var finding = try variant.minimum(data, scope)
                    finding.meanField = try variant.setting.meanField(data)
                    return finding
                }
            }
        }
    }

    private func key(_ variant: StudyVariant) -> QuestionKey {
        QuestionKey(variant.title, policy: variant.policy)
    }

    func chapter(_ findings: Findings<MinimumFinding>) throws -> Chapter {
        var chapter = Chapter("Small and large fleets")
        chapter.text("S70 at multiples of its rate: workers for 99 %.")
        var rows: [[Cell]] = []
        for factor in Self.factors {
            let found = try variants(factor, findings.scope).map { findings[key($0)] }
            guard found.contains(where: { $0 != nil }) else { continue }
            rows.append(
                [Cell("rate × \(factor.plain)"), .number(found.compactMap { $0?.meanField }.first).asBound]
                    + found.map { $0?.cell(at: 0.99) ?? .count(nil) }
            )
        }
        let titles = try variants(1, findings.scope).map { String($0.title.dropFirst("rate × 1 ".count)) }
        chapter.table(["", "N_mf"] + titles, rows)
        chapter.provenance(findings)
        return chapter
    }
}
