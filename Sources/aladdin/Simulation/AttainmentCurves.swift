internal import Reports
internal import Simulation

/// Attainment against the number of workers, for each policy.
struct AttainmentCurves: Sendable {
    let plot: Plot
    let caption: String

    private static let points = 10

    /// Simulates the sizes around those of the outcome.
    init(_ outcome: SimulationOutcome) async throws {
        let sizes = Self.sizes(around: outcome.results.compactMap(\.workers))
        var jobs: [StudyRunner.Job] = []
        for result in outcome.results {
            for size in sizes where size != result.workers {
                jobs += outcome.runner.workloads.indices.map { seed in
                    StudyRunner.Job(policy: result.policy, workers: size, seed: seed)
                }
            }
        }
        let runs = try await outcome.runner.runs(of: jobs, label: "the report's curves", isDetailed: false)
        let seeds = outcome.runner.workloads.count
        var curves = outcome.results.map { result -> [Series.Point] in
            guard let workers = result.workers, let summary = result.summary else { return [] }
            return [Series.Point(Double(workers), summary.attainment)]
        }
        for start in stride(from: 0, to: jobs.count, by: seeds) {
            let attainment = SimulationSummary(Array(runs[start..<start + seeds])).attainment
            guard let policy = outcome.results.firstIndex(where: { $0.policy == jobs[start].policy }) else { continue }
            curves[policy].append(Series.Point(Double(jobs[start].workers), attainment))
        }
        plot = Plot(
            "Attainment by number of workers",
            summary: "For each policy, the share of queries within their objectives rises with the number of workers.",
            x: Axis("workers", .count),
            y: Axis("queries within objectives", .fraction, scale: .nines, range: 0...0.999),
            series: zip(outcome.results, curves).enumerated().map { index, pair in
                Series.line(
                    pair.0.policy,
                    pair.1.sorted { $0.x < $1.x },
                    markers: true,
                    emphasised: index == 0 && outcome.results.count > 1,
                    colour: .of(index)
                )
            },
            references: [.y(min(outcome.attainment, 0.999), outcome.attainment.exactPercent)]
        )
        caption =
            outcome.isMinimum
            ? "Each policy's number of workers in the table is where its curve first reaches the target."
            : "The table is for the number of workers that was asked for."
    }

    /// Sizes from somewhat too few to somewhat more than enough, closer together where they are small.
    private static func sizes(around known: [Int]) -> [Int] {
        guard let least = known.min(), let most = known.max() else { return [] }
        let low = max(1, Double(least) * 0.75)
        let high = max(low + 4, Double(most) * 1.15)
        let ratio = high / low
        var sizes = known
        for step in 0..<points {
            // A geometric row without a logarithm: squares between the ends.
            let share = Double(step) / Double(points - 1)
            sizes.append(Int((low * (1 + (ratio - 1) * share * (0.5 + 0.5 * share))).rounded()))
        }
        return Array(Set(sizes)).sorted()
    }
}

extension SeriesColour {
    /// The same colour for a policy in every chart.
    static func of(_ index: Int) -> SeriesColour {
        allCases[index % allCases.count]
    }
}
