internal import Reports

extension EngineRuns {
    static let light = ["vllm-100-1", "vllm-150-1.5", "vllm-100-2", "vllm-200-2", "vllm-250-2.5"]
    static let heavy = ["vllm-300-3", "vllm-400-4"]

    func chapter(_ findings: Findings<EngineRunFinding>) throws -> Chapter {
        var chapter = Chapter("The simulator against real engines")
        chapter.text(
            """
            Every figure below comes from a simulated worker, so the first question is how far one can be trusted. Here it
            replays queries that a real engine served: same arrivals, same lengths, one worker. The latency coefficients are
            from elsewhere than the runs they are held against; no run is compared with a model that was fitted to it. Differences are
            (simulated − measured) / measured.
            """
        )
        describeSteady(findings, &chapter)
        try describeDifferences(findings, &chapter)
        describeCorrections(findings, &chapter)
        describeOverload(findings, &chapter)
        chapter.provenance(findings)
        return chapter
    }

    private func describeSteady(_ findings: Findings<EngineRunFinding>, _ chapter: inout Chapter) {
        chapter.heading("vLLM, OPT-13B on an A100, ShareGPT lengths")
        chapter.text(
            """
            The model is vLLM's own of that time: prompts go first, one queue, KV memory in blocks of 16 tokens, room for
            51,200 tokens. The coefficients are those that DistServe's authors published for vLLM and this model.
            """
        )
        let keys = (Self.light + Self.heavy).map { QuestionKey($0) }
        let rows = keys.compactMap { key in findings[key].map { steadyRow(key.text, $0) } }
        chapter.table(
            [
                "run", "queries/s", "TTFT p50 measured, ms", "simulated", "", "token time p50 measured, ms",
                "simulated",
                "", "TTFT p90 measured, ms", "simulated", "",
            ],
            rows
        )
        let bounds = Self.light.compactMap { findings[QuestionKey($0)] }.map(medianDifferences)
        let firstsWithin = bounds.count { abs($0.first ?? 1) <= 0.15 }
        let pacesWithin = bounds.count { abs($0.pace ?? 1) <= 0.25 }
        chapter.text(
            """
            The limits set beforehand, for up to 2.5 queries a second, were 15 % for the median TTFT and 25 % for the median
            token time. TTFT keeps its limit in \(firstsWithin) of \(bounds.count) runs, token time in \(pacesWithin). At 3
            and 4 queries a second the engine is overloaded: its queue grows until the run ends, and a TTFT then measures how
            far the arrivals are ahead of the engine, so that a few per cent of speed make a large difference.
            """
        )
        if let finding = findings[QuestionKey("vllm-250-2.5")] {
            let caption = "vLLM at 2.5 queries a second, run vllm-250-2.5."
            chapter.picture("engine-runs-ttft", cumulative(finding), caption: caption)
        }
        chapter.picture(
            "engine-runs-token-time",
            scatter(Self.light.compactMap { findings[QuestionKey($0)] }),
            caption: "Each dot is a query of the runs up to 2.5 queries a second; on the line both agree."
        )
    }

    private func steadyRow(_ run: String, _ finding: EngineRunFinding) -> [Cell] {
        let firsts = (finding.firstTokens(finding.measured), finding.firstTokens(finding.simulated))
        let paces = (finding.tokenTimes(finding.measured), finding.tokenTimes(finding.simulated))
        let tail = (firsts.0.quantile(0.9), firsts.1.quantile(0.9))
        return [
            Cell("`\(run)`"), .number(finding.rate),
            milliseconds(firsts.0.median), milliseconds(firsts.1.median),
            .difference(relative(firsts.1.median, firsts.0.median)),
            milliseconds(paces.0.median), milliseconds(paces.1.median),
            .difference(relative(paces.1.median, paces.0.median)),
            milliseconds(tail.0), milliseconds(tail.1), .difference(relative(tail.1, tail.0)),
        ]
    }

    private func describeOverload(_ findings: Findings<EngineRunFinding>, _ chapter: inout Chapter) {
        let found = Self.devices.compactMap { device in findings[QuestionKey(device)].map { (device, $0) } }
        guard !found.isEmpty else { return }
        chapter.heading("vLLM 0.19 far beyond its capacity, Llama-3.1-8B")
        chapter.text(
            """
            300 queries of about 860 prompt and 650 answer tokens at 10 a second: more than either device can do, so that
            these runs check how a queue grows and how fast a full engine works. Prompts are computed in chunks of 2048
            tokens beside the decodes. The profiles are fitted to kernel times of one layer that the same source measured,
            which hold no time of the host.
            """
        )
        let rows = found.flatMap { device, finding in
            [("measured", finding.measured), ("simulated", finding.simulated)].map { kind, times in
                [
                    Cell("\(device), \(kind)"),
                    milliseconds(finding.firstTokens(times).median, decimals: 0),
                    milliseconds(finding.firstTokens(times).quantile(0.9), decimals: 0),
                    milliseconds(finding.tokenTimes(times).median),
                    .number(finding.throughput(times), decimals: 0),
                    .number(times.map(\.end).max()),
                ]
            }
        }
        chapter.table(["run", "TTFT p50, ms", "p90", "token time p50, ms", "tokens/s", "last token, s"], rows)
        chapter.list(
            found.map { device, finding in
                let difference = Cell.difference(
                    relative(finding.throughput(finding.simulated), finding.throughput(finding.measured))
                )
                return "\(device): throughput \(difference.text); fits: \(finding.fit.joined(separator: "; ")). Up to "
                    + "\(finding.measuredBatch) queries were decoded at once, \(finding.simulatedBatch) in the simulation, "
                    + "which preempted \(finding.preemptions) times. KV cache: \(finding.kvCapacityTokens) tokens"
                    + (device == "rtx4090"
                        ? ", the most that the contexts of the queries being decoded add up to at any moment of the run: "
                            + "its cache was full"
                        : ", from the device's memory; the run's contexts never exceed "
                            + "\(Cell.number(finding.measuredContext, decimals: 0).text)") + "."
            }
        )
        for (device, finding) in found {
            let caption = "The queue of an overloaded engine."
            chapter.picture("engine-runs-\(device)", growth(device, finding), caption: caption)
        }
    }
}
