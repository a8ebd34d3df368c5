internal import Reports
internal import Scheduling

/// How far latency models err on measured points that they were not fitted to.
struct Fits: Study {
    static let name = "fits"
    private static let mixtures: Set = ["qwen3-30b-a3b"]

    /// Relative errors on points held out.
    struct Errors: Codable, Sendable {
        var mean: Double
        var p95: Double
        var worst: Double

        init(_ errors: RelativeErrors) {
            mean = errors.mean
            p95 = errors.p95
            worst = errors.max
        }
    }

    /// One setting's fit, and the paper's.
    struct Finding: Codable, Sendable {
        var form: String
        var points: Int
        var errors: Errors
        /// nil where the points don't determine the paper's form.
        var paper: Errors?
    }

    /// A table of measurements, and what is promised of fits to it.
    private struct Measured {
        var file: String
        var phase: MeasurementTable.Phase
        var origin: String
        var limit: Double
    }

    /// A fit that is, or should be, among the findings.
    private struct Fitted {
        var table: Measured
        var setting: MeasurementTable.Setting

        var isMixture: Bool { Fits.mixtures.contains(setting.model) }
        var limit: Double { table.phase == .decode && isMixture ? 0.06 : table.limit }
        var key: QuestionKey { QuestionKey(table.file, setting.description) }
        var title: String { "\(setting.model), \(setting.gpus) × \(setting.device)" }
    }

    private static let tables = [
        Measured(file: "splitwise_prefill", phase: .prefill, origin: "Splitwise", limit: 0.13),
        Measured(file: "vidur_a100_prefill", phase: .prefill, origin: "Vidur", limit: 0.04),
        Measured(file: "llmservingsim_prefill", phase: .prefill, origin: "LLMServingSim", limit: 0.04),
        Measured(
            file: "llmservingsim_prefill_chunked2048",
            phase: .prefill,
            origin: "LLMServingSim, chunks",
            limit: 0.04
        ),
        Measured(file: "splitwise_decode", phase: .decode, origin: "Splitwise", limit: 0.04),
        Measured(file: "vidur_a100_decode", phase: .decode, origin: "Vidur", limit: 0.04),
        Measured(file: "llmservingsim_decode", phase: .decode, origin: "LLMServingSim", limit: 0.04),
    ]

    let data: DataFolder

    private func fits(_ phase: MeasurementTable.Phase) throws -> [Fitted] {
        try Self.tables.filter { $0.phase == phase }.flatMap { table in
            try data.measurements(table.file, phase).settings.map { Fitted(table: table, setting: $0) }
        }
    }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        try (fits(.prefill) + fits(.decode)).map { fit in
            Question(fit.key) { try answer(fit) }
        }
    }

    private func answer(_ fit: Fitted) throws -> Finding {
        let table = try data.measurements(fit.table.file, fit.table.phase)
        switch fit.table.phase {
        case .prefill:
            let report = try PrefillFit(table.prefills(of: fit.setting)).report
            return Finding(
                form: report.form,
                points: report.crossValidatedAbove128.points,
                errors: Errors(report.crossValidatedAbove128),
                paper: report.paperCrossValidatedAbove128.map(Errors.init)
            )
        case .decode:
            // Nothing is said about experts: a share of them is found, or none.
            let report = try DecodeFit(table.decodes(of: fit.setting)).report
            return Finding(
                form: report.form,
                points: report.crossValidated.points,
                errors: Errors(report.crossValidated),
                paper: report.paperCrossValidated.map(Errors.init)
            )
        }
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Latency models against measurements")
        let prefills = try fits(.prefill)
        let decodes = try fits(.decode)
        chapter.text(
            """
            Every public table that the fitting tests use
            ([where they come from](../Tests/SchedulingTests/Measurements/README.md)), fitted as `aladdin calibrate` does, and
            the relative error on points that the fit has not seen: ten folds, or one point at a time where there are at most
            30. *Plain* is the paper's affine form by ordinary least squares, on the same folds; bold is the better mean. The
            aim is a mean of 4 % for decodes of dense models, 6 % for those of mixtures of experts, and for prefills above 128
            tokens 4 % on tables composed of kernel times and 13 % on end-to-end ones, which are Splitwise's.
            \(verdict(prefills + decodes, findings)) The form is chosen by the same cross-validation whose error is reported,
            so the errors are a little optimistic. Of Vidur's decode table only every sixth row is kept here.
            """
        )
        chapter.heading("Prefill, above 128 tokens")
        chapter.table(Self.header, rows(prefills, findings))
        chapter.heading("Decode")
        chapter.table(Self.header, rows(decodes, findings))
        chapter.provenance(findings)
        return chapter
    }

    private static let header = [
        "", "form", "points", "mean", "p95", "worst", "plain: mean", "p95", "worst", "aim for the mean",
    ]

    private func rows(_ fits: [Fitted], _ findings: Findings<Finding>) -> [[Cell]] {
        fits.compactMap { fit in
            guard let finding = findings[fit.key] else { return nil }
            let isBetter = finding.errors.mean < finding.paper?.mean ?? .infinity
            let (mean, plain) = (Cell.share(finding.errors.mean), Cell.share(finding.paper?.mean))
            return [
                Cell("\(fit.table.origin): \(fit.title)"), Cell(finding.form), .count(finding.points),
                isBetter ? Cell("**\(mean.text)**") : mean, .share(finding.errors.p95), .share(finding.errors.worst),
                isBetter ? plain : Cell("**\(plain.text)**"), .share(finding.paper?.p95), .share(finding.paper?.worst),
                .share(fit.limit, decimals: 0),
            ]
        }
    }

    /// Which aims are met, and which of them only just.
    private func verdict(_ fits: [Fitted], _ findings: Findings<Finding>) -> String {
        let found = fits.compactMap { fit in findings[fit.key].map { (fit: fit, share: $0.errors.mean / fit.limit) } }
        let missed = found.filter { $0.share > 1 }
        let barely = found.filter { (0.9...1).contains($0.share) }
        let list = { (some: [(fit: Fitted, share: Double)]) in
            some.map { some in
                let mean = DecimalText.fixed(some.share * some.fit.limit * 100, decimals: 2)
                return "\(some.fit.table.phase.rawValue) of \(some.fit.title) (\(some.fit.table.origin)): \(mean) %"
            }.joined(separator: "; ")
        }
        let first =
            missed.isEmpty
            ? "All \(found.count) are met"
            : "\(found.count - missed.count) of \(found.count) are met; not: \(list(missed))"
        return first + (barely.isEmpty ? "." : "; only just: \(list(barely)).")
    }
}
