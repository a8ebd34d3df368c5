internal import Reports
internal import ServingModel
internal import Simulation

/// The smallest fleet that keeps the promises to a share of the queries, by policy, load and mode.
struct MinimumFleets: Study {
    static let name = "minimum-workers"
    private static let lowerBound = "lower bound"

    let data: DataFolder

    /// Loads in which some fleet of fixed size gets to 99 %; the others are compared at equal sizes.
    private func settings(_ scope: Scope) throws -> [LoadSetting] {
        let all = ["S70", "Z8", "S13", "D8", "X70h", "Z70", "M8", "K13"]
        return try (scope == .full ? all : ["S70", "Z8", "S13"]).map { try data.setting($0) }
    }

    private func modes(_ setting: LoadSetting, _ scope: Scope) -> [BatchingMode] {
        setting.modes.compactMap(BatchingMode.init(rawValue:)).filter { scope == .full || $0 == .prefillPriority }
    }

    func questions(_ scope: Scope) throws -> [Question<MinimumFinding>] {
        var questions: [Question<MinimumFinding>] = []
        for setting in try settings(scope) {
            for mode in modes(setting, scope) {
                questions.append(question(setting, mode, nil, scope))
                for policy in ComparedPolicy.compared(scope) {
                    questions.append(question(setting, mode, policy, scope))
                }
            }
        }
        return questions
    }

    private func question(
        _ setting: LoadSetting,
        _ mode: BatchingMode,
        _ policy: ComparedPolicy?,
        _ scope: Scope
    ) -> Question<MinimumFinding> {
        let data = data
        return Question(key(setting.name, mode, policy)) {
            let meanField = try setting.meanField(data)
            var study = try setting.study(data, mode, seeds: scope.seeds)
            if let policy { study.lengths = policy.lengths }
            let search = try MinimumSearch(study, targets: scope.targets, meanField: meanField)
            guard let policy else { return search.bounds(meanField: meanField) }
            return try search.minimum(policy.name)
        }
    }

    private func key(_ setting: String, _ mode: BatchingMode, _ policy: ComparedPolicy?) -> QuestionKey {
        QuestionKey(setting, mode.rawValue, policy: policy?.title ?? Self.lowerBound)
    }

    func chapter(_ findings: Findings<MinimumFinding>) throws -> Chapter {
        var chapter = Chapter("How many workers each policy needs")
        chapter.text(
            """
            The load is fixed; sizes are tried upward from the lower bound, and the first whose attainment, the mean over the
            seeds, reaches the target is the answer. "> n" says that no size up to n did, n being 2.75 times the mean-field
            capacity, and "–" that the question was not asked. Predicted lengths come from a history of 2,000 queries. These
            loads don't say which beginnings prompts share, so that `cache-aware` and `kv-cost` are left with what they think of
            load. `polyserve` fills the most loaded worker that it takes to be fast enough, so that more workers change little;
            neither does a stricter `pace` (0.5 to 0.8, tried on S70).
            """
        )
        let settings = try settings(findings.scope)
        for target in findings.scope.targets.reversed() {
            chapter.heading("Workers for \(Cell.share(target, decimals: 0).text) attainment")
            table(target, settings, findings, &chapter)
        }
        picture(settings, findings, &chapter)
        chapter.provenance(findings)
        chapter.text("One cell of the table, by the product's own command:")
        let target = findings.scope.targets.last ?? 0.99
        if let first = settings.first {
            let policies = "aladdin,jsq"
            chapter.commands([
                first.command("prefill-priority", policies: policies, seeds: findings.seeds, target: target)
            ])
        }
        describe(settings, &chapter)
        return chapter
    }

    private func table(
        _ target: Double,
        _ settings: [LoadSetting],
        _ findings: Findings<MinimumFinding>,
        _ chapter: inout Chapter
    ) {
        let policies = ComparedPolicy.compared(findings.scope)
        let columns = settings.flatMap { setting in modes(setting, findings.scope).map { (setting.name, $0) } }
            .filter { column in policies.contains { findings[key(column.0, column.1, $0)] != nil } }
        let header = [""] + columns.map { $0 + ($1 == .chunked ? ", chunked" : "") }
        func row(_ title: String, _ cell: (String, BatchingMode) -> Cell) -> [Cell] {
            [Cell(title)] + columns.map { cell($0.0, $0.1) }
        }
        var rows = [
            row("N_mf") { .number(findings[key($0, $1, nil)]?.meanField).asBound },
            row("lower bound") { (findings[key($0, $1, nil)]?.cell(at: target) ?? .count(nil)).asBound },
        ]
        for policy in policies where columns.contains(where: { findings[key($0.0, $0.1, policy)] != nil }) {
            rows.append(row(policy.title) { findings[key($0, $1, policy)]?.cell(at: target) ?? .count(nil) })
        }
        chapter.table(header, rows, best: .least)
    }

    private func picture(_ settings: [LoadSetting], _ findings: Findings<MinimumFinding>, _ chapter: inout Chapter) {
        guard let setting = settings.first, let target = findings.scope.targets.last else { return }
        let bound = findings[key(setting.name, .prefillPriority, nil)]?.workers(at: target)
        let bars = ComparedPolicy.compared(findings.scope).compactMap { policy -> BarChart.Bar? in
            guard let finding = findings[key(setting.name, .prefillPriority, policy)] else { return nil }
            let workers = finding.workers(at: target).map(Double.init) ?? .nan
            return BarChart.Bar(policy.title, workers, emphasised: policy == .aladdin)
        }
        guard bars.count > 1 else { return }
        let chart = BarChart(
            "Workers for \(Cell.share(target, decimals: 0).text) attainment, \(setting.name)",
            .count,
            reference: bound.map { (Double($0), "lower bound") },
            bars: bars
        )
        let caption =
            "Prefill-priority. A policy without a bar does not get there with 2.75 times the mean-field capacity."
        chapter.picture("minimum-workers", chart, caption: caption)
    }

    private func describe(_ settings: [LoadSetting], _ chapter: inout Chapter) {
        chapter.text("The loads; all are in [settings.json](../Tests/Data/settings.json):")
        chapter.list(
            settings.map { setting in
                let arrivals = setting.arrivals == "poisson" ? "Poisson arrivals" : "the trace's arrivals"
                let memory =
                    setting.kvCapacityTokens.map { " with \($0) tokens of KV cache, so that memory binds" } ?? ""
                return "**\(setting.name)**: lengths of `\(setting.trace)`, \(arrivals) at \(setting.rate.plain) "
                    + "queries/s, workers of `\(setting.profile).json`\(memory), "
                    + "TTFT \(setting.sloTtftMs.plain) ms, ATGT \(setting.sloAtgtMs.plain) ms"
            }
        )
    }
}
