internal import Reports
internal import ServingModel
internal import Simulation

/// Attainment on fleets of the same size: over a range of sizes, under bursts, and with too few workers.
struct EqualFleets: Study {
    static let name = "equal-sizes"

    private struct Comparison {
        var setting: String
        var sizes: [Int]
        var title: String
        var text: String
    }

    private static let overload = Comparison(
        setting: "S70",
        sizes: [24],
        title: "Too few workers: S70 on 24",
        text: """
            Fewer workers than the mean-field capacity, so that some promises must be broken; the question is how many. A
            fleet that treats all alike makes all late. `aladdin` saves most of them at the cost of a few, which wait for minutes
            (TTFT p99): a service that would rather refuse them sets a limit at admission.
            """
    )
    private static let bursts = Comparison(
        setting: "C70h",
        sizes: [33, 50, 69, 90],
        title: "Bursts: the code trace (C70h)",
        text: """
            Lengths and arrivals of `azure2023_code.csv`, at 69.91 queries/s on a 70B model (`p70h`), TTFT 2000 ms, ATGT 75 ms.
            Prompts come in bursts between lulls, at many times the mean rate. 69 workers are 2.6 times the mean-field
            capacity of the mean rate.
            """
    )
    private static let curve = Comparison(
        setting: "S70",
        sizes: [24, 25, 26, 27, 28, 29, 30, 32, 34, 36, 40, 44, 48, 54, 60],
        title: "Attainment against fleet size (S70)",
        text: """
            What a few workers more or less mean: under a policy that places by counts the curve is flat near the top, so that
            the number for a target of 99 % says little about that for 98 %.
            """
    )

    let data: DataFolder

    func questions(_ scope: Scope) throws -> [Question<RunFigures>] {
        let data = data
        var asked: Set<String> = []
        var questions: [Question<RunFigures>] = []
        for comparison in [Self.overload, Self.bursts, Self.curve] {
            let setting = try data.setting(comparison.setting)
            for size in comparison.sizes {
                for policy in policies(comparison.title, scope) {
                    let key = key(comparison.setting, size, policy)
                    guard asked.insert(key.text).inserted else { continue }
                    questions.append(
                        Question(key) {
                            var study = try setting.study(data, .prefillPriority, seeds: scope.seeds)
                            study.lengths = policy.lengths
                            return try RunFigures(study, policy.name, workers: size)
                        }
                    )
                }
            }
        }
        return questions
    }

    private func policies(_ title: String, _ scope: Scope) -> [ComparedPolicy] {
        let all = ComparedPolicy.compared(scope)
        return title == Self.curve.title ? all.filter { [.aladdin, .paper, .roundRobin, .jsq].contains($0) } : all
    }

    private func key(_ setting: String, _ size: Int, _ policy: ComparedPolicy) -> QuestionKey {
        QuestionKey(setting, "on \(size)", policy: policy.title)
    }

    func chapter(_ findings: Findings<RunFigures>) throws -> Chapter {
        var chapter = Chapter("The same number of workers")
        for comparison in [Self.curve, Self.overload, Self.bursts] {
            chapter.heading(comparison.title)
            chapter.text(comparison.text)
            let policies = policies(comparison.title, findings.scope)
            if comparison.title == Self.curve.title {
                chapter.picture("attainment-by-workers", plot(comparison, policies, findings), caption: "Mode A.")
            } else {
                table(comparison, policies, findings, &chapter)
            }
        }
        chapter.provenance(findings)
        return chapter
    }

    private func table(
        _ comparison: Comparison,
        _ policies: [ComparedPolicy],
        _ findings: Findings<RunFigures>,
        _ chapter: inout Chapter
    ) {
        let isOne = comparison.sizes.count == 1
        let header =
            isOne
            ? ["", "attainment", "TTFT p50, s", "TTFT p99, s", "ATGT p99, ms", "goodput, queries/s"]
            : [""] + comparison.sizes.map { "\($0) workers" }
        let rows = policies.map { policy -> [Cell] in
            let found = comparison.sizes.map { findings[key(comparison.setting, $0, policy)] }
            guard isOne, let figures = found[0] else {
                return [Cell(policy.title)] + found.map { .share($0?.attainment) }
            }
            return [
                Cell(policy.title), .share(figures.attainment), .number(figures.firstToken.p50, decimals: 2),
                .number(figures.firstToken.p99, decimals: 2), .number(figures.tokenTime.p99 * 1000, decimals: 0),
                .number(figures.goodput),
            ]
        }
        chapter.table(header, rows, best: isOne ? .none : .largest)
    }

    private func plot(
        _ comparison: Comparison,
        _ policies: [ComparedPolicy],
        _ findings: Findings<RunFigures>
    ) -> Plot {
        let series = policies.map { policy in
            let points = comparison.sizes.compactMap { size in
                findings[key(comparison.setting, size, policy)].map { Series.Point(Double(size), $0.attainment) }
            }
            return Series.line(policy.title, points, markers: true, emphasised: policy == .aladdin)
        }
        return Plot(
            "Attainment by fleet size, \(comparison.setting)",
            summary: "Hold and dispatch rises steeply to nearly one; the others rise slowly",
            x: Axis("workers", .count),
            y: Axis("attainment", .fraction, range: 0.5...1),
            series: series,
            references: [.y(0.99, "99 %")]
        )
    }
}
