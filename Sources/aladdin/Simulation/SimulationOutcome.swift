internal import Foundation
internal import ServingModel
internal import Simulation

/// Everything that `simulate` found, for machines and for people.
struct SimulationOutcome: Sendable {
    let runner: StudyRunner
    let file: TraceFile
    let results: [PolicyResult]
    /// What is to be reached.
    let attainment: Double
    /// Whether the numbers of workers are the smallest that reach it.
    let isMinimum: Bool

    var study: SimulationStudy { runner.study }

    /// Queries of the first workload over its length.
    var rate: Double {
        let workload = runner.workloads[0]
        return workload.seconds > 0 ? Double(workload.queries.count) / workload.seconds : 0
    }

    /// The names are those of the documented JSON.
    var object: [String: Any] {
        let workload = runner.workloads[0]
        var trace: [String: Any] = [
            "file": file.path, "queries": workload.queries.count, "counted": workload.counted.count,
            "rate_qps": rate, "duration_s": workload.seconds, "warmup_s": workload.warmUpSeconds,
            "left_out": leftOut,
        ]
        if !file.skipped.isEmpty {
            trace["skipped_lines"] = file.skipped.count
            trace["skipped"] = file.skipped.prefix(20).map { ["line": $0.line, "message": $0.message] }
        }
        return ["trace": trace, "results": results.map(\.object)]
    }

    /// Queries of the trace that the filters leave out.
    var leftOut: Int {
        var plan = study.plan
        plan.kvCapacityTokens = study.workers.parts.map(\.profile.kvCache.capacityTokens).min()
        return file.trace.entries.count - plan.filtered(file.trace).entries.count
    }

    var text: String {
        let workload = runner.workloads[0]
        var lines = [
            """
            \(file.fileName): \(workload.queries.count.counting("query", "queries")) in \(workload.seconds.short) s (\(rate.short)/s), \
            \(workload.counted.count) after the warm-up\(leftOut > 0 ? ", \(leftOut) of the trace left out" : ""); \
            \(objectives)
            """
        ]
        if isMinimum { lines.append("fewest workers for \(attainment.exactPercent) attainment:") }
        lines += ["", Terminal.table([heading] + results.map(\.row))]
        if study.admission != nil {
            let refused = results.compactMap { result in result.summary.map { "\(result.policy) \($0.refused)" } }
            lines += ["", "refused on arrival, and counted as missed: " + refused.joined(separator: ", ")]
        }
        let classes = lengthClassTable
        if classes.count > 1 { lines += ["", "attainment by output tokens", Terminal.table(classes)] }
        return lines.joined(separator: "\n")
    }

    private var objectives: String {
        guard !file.trace.entries.allSatisfy({ $0.objective != nil }) else { return "each query's own objectives" }
        return "objectives \(study.objective.timeToFirstToken.milliseconds.short) ms to the first token, "
            + "\(study.objective.averageTokenTime.milliseconds.short) ms a token"
    }

    private var heading: [String] { PolicyResult.heading(hasCosts: results.contains { $0.cost != nil }) }

    private var lengthClassTable: [[String]] {
        let names = results.compactMap(\.summary).first?.lengthClasses.map(\.name) ?? []
        return [["policy"] + names]
            + results.compactMap { result in
                result.summary.map { [result.policy] + $0.lengthClasses.map(\.attainment.exactPercent) }
            }
    }
}

extension Double {
    /// With two decimals, never rounded up to 100: 98.997 % is not 99 %.
    var exactPercent: String {
        let hundredths = (self * 10_000 + 1e-7).rounded(.down)
        return String(
            format: hundredths.truncatingRemainder(dividingBy: 100) == 0 ? "%.0f%%" : "%.2f%%",
            hundredths / 100
        )
    }
}
