internal import Reports
internal import ServingModel

extension AlgorithmPictures {
    /// 46 answers that have been running for long.
    private var veterans: [WorkerTimeline.Prompt] {
        (0..<46).map { _ in WorkerTimeline.Prompt(arrival: -40, tokens: 700, answer: nil) }
    }

    /// One answer's tokens against its pace, stalled by a foreign prefill.
    func credit() -> String {
        let stall = 1825
        var prompts = veterans + [WorkerTimeline.Prompt(arrival: -0.4, tokens: 640, answer: nil)]
        let own = prompts.count - 1
        prompts.append(WorkerTimeline.Prompt(arrival: 0.3, tokens: stall, answer: nil))
        let timeline = WorkerTimeline(prompts, on: Self.profile, until: 4)
        let first = timeline.tokens[own][0]
        let times = timeline.tokens[own].map { $0 - first }.filter { $0 <= 2.6 }
        let steps = times.enumerated().map { Series.Point($1, Double($0 + 1)) }
        let foreign = timeline.steps.filter { $0.isPrefill && $0.start > first }.first
        let (begin, end) = foreign.map { ($0.start - first, $0.end - first) } ?? (0, 0)
        return Plot(
            "Tokens of one answer against the pace of its objective",
            summary:
                "The answer gets a token every 72 ms and runs ahead of its pace of one each 100 ms. A foreign prefill "
                + "stops it for half a second; it falls behind and overtakes the pace again some ten tokens later.",
            x: Axis("time since its first token", .seconds, range: 0...2.6),
            y: Axis("tokens", .count, range: 0...30),
            series: [
                .steps("tokens so far, g", steps, emphasised: true),
                .line("pace: one each 100 ms", [.init(0, 1), .init(2.6, 27)]),
            ],
            references: [.x(begin, "a foreign prefill begins"), .x(end, "it ends")]
        ).svg()
    }

    /// The same prompts as they come and all together, and what becomes of the short answers.
    func alignment() -> String {
        let arrivals = [(0.12, 680), (0.5, 375), (0.85, 860), (1.3, 510), (1.7, 1040), (2.1, 390)]
        let scattered = veterans + arrivals.map { .init(arrival: $0.0, tokens: $0.1, answer: 6) }
        let together = [0.85, 2.1]
        let aligned =
            veterans
            + arrivals.map { arrival in
                .init(arrival: together.first { $0 >= arrival.0 } ?? arrival.0, tokens: arrival.1, answer: 6)
            }
        var sketch = Sketch(
            "Six prompts with answers of six tokens, on one worker",
            summary: "Above, each prompt is prefilled as it comes: most short answers are stopped by another prompt's "
                + "prefill, and two miss 100 ms a token. Below, three at a time: none is stopped.",
            width: 760,
            height: 396
        )
        lane("as they come", scattered, top: 56, &sketch)
        lane("three at a time", aligned, top: 212, &sketch)
        axis(y: 362, &sketch)
        return sketch.svg()
    }

    private static let left = 16.0
    private static let seconds = 3.5
    private static let perSecond = 728 / seconds

    private func lane(_ name: String, _ prompts: [WorkerTimeline.Prompt], top: Double, _ sketch: inout Sketch) {
        let timeline = WorkerTimeline(prompts, on: Self.profile, until: Self.seconds)
        func x(_ time: Double) -> Double { Self.left + min(max(time, 0), Self.seconds) * Self.perSecond }
        for step in timeline.steps where step.end > 0 {
            let width = max(x(step.end) - x(step.start) - 1, 0)
            sketch.bar(x: x(step.start), y: top + 20, width: width, height: 26, step.isPrefill ? .blue : .grey)
        }
        var met = 0
        for (number, tokens) in timeline.tokens[veterans.count...].enumerated() {
            guard let first = tokens.first, let last = tokens.last, tokens.count == 6 else { continue }
            let isMet = last - first <= tokenTime * Double(tokens.count - 1)
            if isMet { met += 1 }
            let y = top + 54 + Double(number) * 12
            let width = x(last) - x(first)
            sketch.bar(x: x(first), y: y, width: width, height: 6, isMet ? .green : .vermillion)
            let average = Int(((last - first) / 5 * 1000).rounded())
            let isFarRight = x(last) > 640
            let place = isFarRight ? x(first) - 6 : x(last) + 6
            sketch.text(
                "\(average) ms a token",
                x: place,
                y: y + 7,
                "small muted",
                anchor: isFarRight ? "end" : "start"
            )
        }
        sketch.text(name, x: Self.left, y: top + 12, "strong")
        sketch.text("\(met) of 6 keep 100 ms a token", x: 744, y: top + 12, "muted", anchor: "end")
    }

    private func axis(y: Double, _ sketch: inout Sketch) {
        for tenths in stride(from: 0, through: 35, by: 5) {
            let x = Self.left + Double(tenths) / 10 * Self.perSecond
            sketch.line([(x, y), (x, y + 4)], "tick")
            sketch.text(
                "\(tenths / 10).\(tenths % 10) s",
                x: x,
                y: y + 18,
                "small muted",
                anchor: tenths == 0 ? "start" : tenths == 35 ? "end" : "middle"
            )
        }
        sketch.line([(Self.left, y), (Self.left + 728, y)], "tick")
        var x = 330.0
        for (tone, name) in [(Sketch.Tone.blue, "prefill"), (.grey, "decode step")] {
            sketch.bar(x: x, y: 58, width: 12, height: 10, tone)
            sketch.text(name, x: x + 18, y: 68, "small")
            x += 76
        }
    }
}
