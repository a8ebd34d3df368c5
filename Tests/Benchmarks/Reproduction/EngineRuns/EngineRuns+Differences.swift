internal import Reports

extension EngineRuns {
    /// What the engine does that the model does not, as far as the data show it.
    func describeDifferences(_ findings: Findings<EngineRunFinding>, _ chapter: inout Chapter) throws {
        let light = Self.light.compactMap { findings[QuestionKey($0)] }
        guard !light.isEmpty else { return }
        chapter.text("What the engine does that the model does not, as far as these data show it:")
        chapter.list(
            [
                undisturbed(light.flatMap(\.undisturbed)), shortAnswers(light),
                overloaded(findings),
            ].compactMap(\.self)
        )
        try describeSteps(findings, &chapter)
    }

    private func undisturbed(_ prompts: [EngineRunFinding.Undisturbed]) -> String? {
        let long = Distribution(prompts.filter { $0.inputTokens >= 256 }.map { $0.measured / $0.model })
        let short = Distribution(prompts.filter { $0.inputTokens < 256 }.map { $0.measured - $0.model })
        guard let median = long.median, let least = long.ascending.first, let most = long.ascending.last,
            let fewest = milliseconds(short.ascending.first, decimals: 0).number,
            let longest = milliseconds(short.ascending.last, decimals: 0).number
        else { return nil }
        return """
            \(prompts.count) queries had the engine to themselves until their first token: the prefill model alone. The TTFT of
              the \(long.count) prompts of 256 tokens and more is \(fixed(median)) of the model's in the median
              (\(fixed(least)) to \(fixed(most))). The \(short.count) shorter ones, each the first query of its run, took
              \(Int(fewest.rounded())) to \(Int(longest.rounded())) ms longer than the model says: the model counts steps, not
              what a request costs outside them.
            """
    }

    private func shortAnswers(_ light: [EngineRunFinding]) -> String? {
        let short = paces(light) { $0 < 20 }
        let long = paces(light) { $0 >= 100 }
        guard let low = short.quantile(0.05), let high = short.quantile(0.95), let longLow = long.quantile(0.05),
            let longHigh = long.quantile(0.95)
        else { return nil }
        return """
            Single token times scatter most for short answers. Measured over simulated they are from \(fixed(low)) to
              \(fixed(high)) (5 % to 95 %) for the \(short.count) answers of 2 to 19 tokens, from \(fixed(longLow)) to
              \(fixed(longHigh)) for the \(long.count) of 100 and more: whether somebody's prompt falls between a few tokens is
              decided by milliseconds that no model has.
            """
    }

    private func overloaded(_ findings: Findings<EngineRunFinding>) -> String? {
        let heavy = Self.heavy.compactMap { findings[QuestionKey($0)] }
        guard !heavy.isEmpty else { return nil }
        let speeds = heavy.map { finding in
            let difference = relative(finding.throughput(finding.simulated), finding.throughput(finding.measured))
            return "\(Cell.difference(difference).text) at \(finding.rate.plain) queries a second"
        }
        let batches = heavy.map { "\($0.measuredBatch) and \($0.simulatedBatch)" }
        return """
            Overloaded, the simulated engine's throughput differs by \(speeds.joined(separator: " and ")); the most queries
              decoded at once were, measured and simulated, \(batches.joined(separator: ", ")): the memory is about right.
            """
    }

    /// Decode steps with queueing taken out: the reason for most of the difference.
    private func describeSteps(_ findings: Findings<EngineRunFinding>, _ chapter: inout Chapter) throws {
        let profile = try Self.publishedProfile(data)
        let runs = (Self.light + Self.heavy).compactMap { run in
            findings[QuestionKey(run)].map { (run, DecodeSteps($0, profile)) }
        }
        chapter.text(
            """
            Most of the difference in token times is in the decode step itself. Below, queueing is taken out: the time between
            an answer's tokens less the prefills that fell into it is compared with the model's step at the batch that was
            measured.
            """
        )
        let rows = runs.map { run, steps -> [Cell] in
            let (measured, model) = steps.slopes
            return [
                Cell("`\(run)`"), .number(steps.ratios.quantile(0.1), decimals: 2),
                .number(steps.ratios.median, decimals: 2), .number(steps.ratios.quantile(0.9), decimals: 2),
                milliseconds(measured, decimals: 2), milliseconds(model, decimals: 2),
            ]
        }
        chapter.table(
            ["run", "measured step / model, p10", "p50", "p90", "ms for each query in the batch, measured", "model"],
            rows
        )
        chapter.text(
            """
            Two things show. The engine's step grows faster with the batch than the published coefficients say, by a few
            tenths of a millisecond for each query. That is the size of a host's work for each, such as sampling and turning
            tokens into text, but these data can't tell what it was. And the two runs at 2 queries a second are slower in
            every step, and in the same prompts alone, than those at 1.5 and at 2.5: no load explains that, so the machine was
            not the same or not alone. A profile fitted on the machine that serves (`aladdin calibrate`) would have both in
            its numbers; nothing above is refitted.
            """
        )
    }

    /// Measured over simulated token times of queries whose answers are so long.
    private func paces(_ findings: [EngineRunFinding], _ isMeant: (Int) -> Bool) -> Distribution {
        Distribution(
            findings.flatMap { finding in
                finding.outputTokens.indices.compactMap { index -> Double? in
                    guard isMeant(finding.outputTokens[index]), let real = finding.measured[index].tokenTime,
                        let ours = finding.simulated[index].tokenTime, ours > 0
                    else { return nil }
                    return real / ours
                }
            }
        )
    }

    func cumulative(_ finding: EngineRunFinding) -> Plot {
        Plot(
            "TTFT of a real engine and of its model",
            summary: "Two cumulative distributions that nearly coincide",
            x: Axis("TTFT", .seconds, scale: .logarithmic),
            y: Axis("share of queries", .fraction, range: 0...1),
            series: [
                .cumulative("measured", finding.measured.map(\.firstToken)),
                .cumulative("simulated", finding.simulated.map(\.firstToken), emphasised: true),
            ]
        )
    }

    func scatter(_ findings: [EngineRunFinding]) -> Plot {
        let points = findings.flatMap { finding in
            zip(finding.measured, finding.simulated).compactMap { real, ours -> Series.Point? in
                guard let real = real.tokenTime, let ours = ours.tokenTime else { return nil }
                return Series.Point(real, ours)
            }
        }
        return Plot(
            "Token times, measured and simulated",
            summary: "Dots around the diagonal, with some above and below it for short answers",
            x: Axis("measured", .seconds, scale: .logarithmic),
            y: Axis("simulated", .seconds, scale: .logarithmic),
            series: [.dots("queries", points)],
            references: [.diagonal("equal")]
        )
    }

    func growth(_ device: String, _ finding: EngineRunFinding) -> Plot {
        func points(_ times: [EngineRunFinding.Times]) -> [Series.Point] {
            zip(finding.arrivals, times).map { Series.Point($0, $1.firstToken) }
        }
        return Plot(
            "TTFT by arrival, \(device)",
            summary: "The later a query arrives the longer it waits, in both",
            x: Axis("arrival", .seconds),
            y: Axis("TTFT", .seconds, includesZero: true),
            series: [.dots("measured", points(finding.measured)), .dots("simulated", points(finding.simulated))]
        )
    }

    func milliseconds(_ seconds: Double?, decimals: Int = 1) -> Cell {
        .number(seconds.map { $0 * 1000 }, decimals: decimals)
    }

    func relative(_ value: Double?, _ reference: Double?) -> Double? {
        guard let value, let reference, reference > 0 else { return nil }
        return value / reference - 1
    }

    private func fixed(_ value: Double) -> String { DecimalText.fixed(value, decimals: 2) }
}
