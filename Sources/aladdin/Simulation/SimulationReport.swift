internal import Foundation
internal import Reports
internal import ServingModel
internal import Simulation

/// The report of a simulation: the same figures as its JSON, as pictures.
struct SimulationReport {
    let outcome: SimulationOutcome

    init(_ outcome: SimulationOutcome) {
        self.outcome = outcome
    }

    /// The HTML file's text; simulates some more sizes for the curves.
    func page(command: String) async throws -> String {
        let curves = try await AttainmentCurves(outcome)
        let solved = outcome.results.filter { $0.summary != nil }
        var sections = [
            Page.Section(
                "How many workers it takes",
                [.figure(curves.plot, caption: curves.caption), .table(resultTable)]
            )
        ]
        if !solved.isEmpty {
            let charts = ResultCharts(solved, objective: outcome.study.objective)
            sections += [
                Page.Section("How long queries wait", charts.latency),
                Page.Section("Who is served within the objectives", charts.lengthClasses),
                Page.Section("What it costs", charts.cost),
                Page.Section("The fleet over time", charts.fleet),
            ]
        }
        sections.append(Page.Section("How this was found", [.list(method)]))
        return Page(
            "Serving \(outcome.study.workers.parts[0].profile.model)",
            subtitle: subtitle,
            keyFigures: keyFigures(solved),
            sections: sections,
            command: command,
            colophon: "Aladdin \(Version.current). The same command gives the same figures."
        ).html
    }

    private var subtitle: String {
        let parts = outcome.study.workers.parts
        let hardware = parts.map { part in
            (parts.count > 1 ? "\(part.count) of " : "") + "\(part.profile.gpus) × \(part.profile.device)"
        }
        return "\(outcome.file.fileName) at \(outcome.rate.short) queries a second; "
            + "a worker is \(hardware.joined(separator: " to "))."
    }

    private func keyFigures(_ solved: [PolicyResult]) -> [Page.KeyFigure] {
        var figures: [Page.KeyFigure] = []
        // The fewest GPUs; at equal numbers the highest attainment.
        let best = solved.min {
            ($0.gpus, -($0.summary?.attainment ?? 0)) < ($1.gpus, -($1.summary?.attainment ?? 0))
        }
        if let best, let workers = best.workers, let summary = best.summary {
            let others = outcome.results.filter { $0.policy != best.policy && $0.workers != best.workers }
                .map { "\($0.workers.map(String.init) ?? "never enough") with \($0.policy)" }
            figures = [
                Page.KeyFigure("\(workers)", "workers with \(best.policy)", note: others.joined(separator: ", ")),
                Page.KeyFigure("\(best.gpus)", "GPUs"),
                Page.KeyFigure(
                    summary.attainment.exactPercent,
                    "of the queries within their objectives",
                    note: outcome.isMinimum ? "at least \(outcome.attainment.exactPercent) was asked for" : ""
                ),
            ]
        }
        let objective = outcome.study.objective
        figures.append(
            Page.KeyFigure(
                Quantity.seconds.text(objective.timeToFirstToken.seconds),
                "to the first token",
                note: "then \(Quantity.seconds.text(objective.averageTokenTime.seconds)) a token: the objectives"
            )
        )
        return figures
    }

    private var resultTable: Table {
        Table(
            columns: [
                .text("Policy"), .numbers("Workers", .count, best: .smallest),
                .numbers("GPUs", .count, best: .smallest),
                .text("Attainment"), .numbers("TTFT p50", .seconds), .numbers("p99", .seconds),
                .numbers("ATGT p50", .seconds), .numbers("p99", .seconds), .text("Late tokens"),
            ],
            rows: outcome.results.map { result in
                guard let summary = result.summary, let workers = result.workers else {
                    let blanks = Array(repeating: Table.Cell.number(.nan), count: 2)
                    return Table.Row(
                        [.text(result.policy)] + blanks + [.text("never \(outcome.attainment.exactPercent)")]
                            + blanks + blanks + [.text("")]
                    )
                }
                func seconds(_ time: Interval?) -> Table.Cell { .number(time?.seconds ?? .nan) }
                return Table.Row([
                    .text(result.policy), .number(Double(workers)), .number(Double(result.gpus)),
                    .text(summary.attainment.exactPercent), seconds(summary.timeToFirstToken?.p50),
                    seconds(summary.timeToFirstToken?.p99), seconds(summary.averageTokenTime?.p50),
                    seconds(summary.averageTokenTime?.p99),
                    .text(summary.lateness?.share.exactPercent ?? ""),
                ])
            }
        )
    }

    private var batching: String {
        let study = outcome.study
        return study.prefillWorkers > 0
            ? "split, with \(study.prefillWorkers) workers that only prefill beside those counted" : study.mode.rawValue
    }

    private var method: [String] {
        let study = outcome.study
        let workload = outcome.runner.workloads[0]
        var lines = [
            """
            \(workload.queries.count) queries in \(workload.seconds.short) s were replayed on simulated workers by the \
            scheduler that also runs in production; time is virtual, and step times come from the latency profile.
            """,
            """
            A query is within its objectives if both its first token and the average time of the others are. Queries \
            that arrive in the first \(study.warmUpSeconds.short) s are served but do not count; unfinished ones do.
            """,
            "Quantiles are nearest ranks. A token is late if it comes after the first token's deadline plus its pace.",
            "Batching: \(batching). Seeds: \(study.seeds.map(String.init).joined(separator: ", ")).",
        ]
        switch study.lengths {
        case .predicted: lines.append("Policies know the lengths of 2,000 earlier answers, not those to come.")
        case .oracle: lines.append("Policies were told the length of each answer in advance.")
        }
        if study.admission != nil {
            let refused = outcome.results.compactMap { result in
                result.summary.map { "\($0.refused) of \($0.queries) with \(result.policy)" }
            }
            lines.append(
                """
                Queries that could not be served within their objectives were refused on arrival and count as missed: \
                \(refused.joined(separator: ", ")).
                """
            )
        }
        if outcome.isMinimum {
            lines.append("Sizes were tried upward from a proven lower bound; the first that suffices is given.")
        }
        if outcome.leftOut > 0 {
            lines.append("\(outcome.leftOut) queries of the trace were left out as too long.")
        }
        if !outcome.file.skipped.isEmpty {
            lines.append("\(outcome.file.skipped.count) lines of the trace were wrong and left out.")
        }
        return lines
    }
}
