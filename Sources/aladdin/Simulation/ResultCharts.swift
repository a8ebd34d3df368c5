internal import Reports
internal import ServingModel
internal import Simulation

/// The charts of policies that were simulated, each policy in its colour.
struct ResultCharts {
    private let results: [PolicyResult]
    private let objective: ServiceLevelObjective

    /// - Parameter results: with runs.
    init(_ results: [PolicyResult], objective: ServiceLevelObjective) {
        self.results = results
        self.objective = objective
    }

    var latency: [Page.Block] {
        let first = distribution("Time to first token", limit: objective.timeToFirstToken) {
            $0.timeToFirstToken(by: $1)
        }
        let pace = distribution("Average time of the other tokens", limit: objective.averageTokenTime) {
            $0.averageTokenTime(by: $1)
        }
        return [
            .text(
                "Of how many queries the time is at most that on the axis. What is right of the dashed line is late."
            ),
            .figure(first, caption: ""),
            .figure(pace, caption: "A line that stands upright just before the objective spends the time it is given."),
        ]
    }

    private func distribution(
        _ title: String,
        limit: Interval,
        _ time: (SimulatedQuery, QueryRecord) -> Interval?
    ) -> Plot {
        let series = results.enumerated().map { index, result in
            let samples = result.runs.flatMap { run in
                run.workload.counted.compactMap { time(run.workload.queries[$0], run.records[$0])?.seconds }
            }
            return Series.cumulative(
                name(of: result),
                samples,
                emphasised: index == 0 && results.count > 1,
                colour: .of(index)
            )
        }
        // A few stragglers must not squeeze everything else.
        let longest = series.flatMap { $0.points.filter { $0.y <= 0.995 }.map(\.x) }.max() ?? limit.seconds
        return Plot(
            title,
            summary: "Cumulative distribution by policy, with the objective as a dashed line.",
            x: Axis("time", .seconds, range: 0...max(limit.seconds * 1.25, min(longest, limit.seconds * 1.6))),
            y: Axis("queries", .fraction, range: 0...1),
            series: series,
            references: [.x(limit.seconds, "objective " + Quantity.seconds.text(limit.seconds))]
        )
    }

    private func name(of result: PolicyResult) -> String {
        let isOneSize = Set(results.map(\.workers)).count == 1
        return isOneSize ? result.policy : "\(result.policy), \(result.workers ?? 0)"
    }

    var lengthClasses: [Page.Block] {
        let classes = results[0].summary?.lengthClasses ?? []
        let rows = results.map { result in
            Table.Row(
                [.text(result.policy)]
                    + (result.summary?.lengthClasses.map { Table.Cell.text($0.attainment.exactPercent) } ?? [])
            )
        }
        let shown = results.prefix(4)
        let chart = BarChart(
            "Queries within their objectives, by tokens of the answer",
            summary: "Short answers have the least time to make up for a stall.",
            .fraction,
            measures: shown.count > 1 ? shown.map(\.policy) : [],
            sorted: false,
            bars: classes.enumerated().map { index, group in
                let values = shown.map { $0.summary?.lengthClasses[index].attainment ?? .nan }
                return BarChart.Bar(group.name, Array(values))
            }
        )
        var blocks: [Page.Block] = [
            .figure(
                chart,
                caption: "An attainment over all queries can hide that one kind of query pays for the others."
            )
        ]
        if results.count > 4 {
            blocks.append(.table(Table(columns: [.text("Policy")] + classes.map { .text($0.name) }, rows: rows)))
        }
        if let tenants = tenantTable { blocks.append(.table(tenants)) }
        return blocks
    }

    private var tenantTable: Table? {
        let tenants = results[0].summary?.tenants ?? []
        guard !tenants.isEmpty, tenants.count <= 50 else { return nil }
        return Table(
            "By tenant",
            columns: [.text("Tenant"), .numbers("Queries", .count)] + results.map { .text($0.policy) },
            rows: tenants.enumerated().map { index, tenant in
                let cells = results.map { Table.Cell.text($0.summary?.tenants[index].attainment.exactPercent ?? "") }
                return Table.Row(
                    [.text(tenant.name.isEmpty ? "(none)" : tenant.name), .number(Double(tenant.queries))] + cells
                )
            }
        )
    }

    var cost: [Page.Block] {
        let least = results.map(\.gpus).min()
        let gpus = BarChart(
            "GPUs",
            .count,
            bars: results.map {
                BarChart.Bar($0.policy, Double($0.gpus), emphasised: $0.gpus == least && results.count > 1)
            }
        )
        let perQuery = results.map { result -> Double in
            guard let summary = result.summary, summary.met > 0 else { return .nan }
            return summary.gpuSeconds / 3600 / (Double(summary.met) / Double(result.runs.count)) * 1000
        }
        let hours = BarChart(
            "GPU-hours for 1,000 queries within their objectives",
            .number,
            bars: zip(results, perQuery).map { result, value in
                BarChart.Bar(result.policy, value, emphasised: value == perQuery.min() && results.count > 1)
            }
        )
        return [
            .figure(gpus, caption: ""),
            .figure(hours, caption: "Queries that miss their objectives cost as much and count for nothing."),
        ] + money
    }

    /// What it costs at the price that was given.
    private var money: [Page.Block] {
        let prices = results.compactMap(\.cost?.gpuPricePerHour)
        guard let price = prices.first else { return [] }
        func chart(_ title: String, _ value: (PolicyResult.Cost) -> Double) -> Page.Block {
            let values = results.map { $0.cost.map(value) ?? .nan }
            let bars = zip(results, values).map { result, value in
                BarChart.Bar(result.policy, value, emphasised: value == values.min() && results.count > 1)
            }
            let isOne = prices.allSatisfy { $0 == price }
            return .figure(
                BarChart(title, .number, bars: bars),
                caption: isOne
                    ? "At \(price.short) for a GPU and hour." : "At the prices given for each kind of worker."
            )
        }
        return [
            chart("Cost an hour", \.perHour),
            chart("Cost of a million tokens of answers", \.perMillionTokens),
        ]
    }

    var fleet: [Page.Block] {
        [
            figure("Workers at work", "workers", "Of the workers, those with a step in progress; dashed: all.") {
                Double($0.busy)
            } total: {
                Double($0.workers)
            },
            figure("Queries waiting for their first token", "queries", "Held by the scheduler or queued on a worker.") {
                Double($0.held + $0.queued)
            },
        ]
    }

    private func figure(
        _ title: String,
        _ axis: String,
        _ caption: String,
        _ value: (FleetLoad) -> Double,
        total: ((FleetLoad) -> Double)? = nil
    ) -> Page.Block {
        let series = results.enumerated().map { index, result in
            Series.line(
                name(of: result),
                Self.smoothed(result.runs[0].load, value),
                emphasised: index == 0 && results.count > 1,
                colour: .of(index)
            )
        }
        var references: [ReferenceLine] = []
        if let total {
            let sizes = Set(results.compactMap { $0.runs[0].load.map(total).max() }).sorted()
            references = sizes.map { .y($0, "\(Int($0)) workers") }
        }
        return .figure(
            Plot(
                title,
                summary: caption,
                x: Axis("time", .seconds),
                y: Axis(axis, .count, includesZero: true),
                series: series,
                references: references
            ),
            caption: caption
        )
    }

    /// Means over a few samples: single moments jump about.
    private static func smoothed(_ load: [FleetLoad], _ value: (FleetLoad) -> Double) -> [Series.Point] {
        stride(from: 0, to: load.count, by: 4).map { start in
            let some = load[start..<min(start + 4, load.count)]
            return Series.Point(some[start].time.seconds, some.reduce(0) { $0 + value($1) } / Double(some.count))
        }
    }
}
