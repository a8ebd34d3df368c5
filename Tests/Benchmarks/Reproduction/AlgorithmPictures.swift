internal import Reports
internal import Scheduling
internal import ServingModel

/// The pictures of docs/algorithm.md, each by its file's name without `.svg`.
func algorithmPictures() -> [(name: String, svg: String)] {
    let pictures = AlgorithmPictures()
    return [
        ("credit", pictures.credit()),
        ("survival", pictures.survivalPlot()),
        ("miss", pictures.missPlot()),
        ("alignment", pictures.alignment()),
        ("dispatch", pictures.dispatch()),
    ]
}

/// What the pictures have in common: a worker, an objective, and how long answers are.
struct AlgorithmPictures {
    /// ATGT objective in seconds.
    let tokenTime = 0.1
    let survival = SurvivalFunction(lengths: Self.answerLengths)

    /// Llama-2-70B on four A100s: `Tests/Data/profiles/p70.json`.
    static let profile: LatencyProfile = {
        var profile = LatencyProfile(model: "llama2-70b", device: "A100-80GB", gpus: 4)
        profile.prefill.c0Milliseconds = 63.7
        profile.prefill.k1Milliseconds = 0.2548
        profile.decode.c3Milliseconds = 43.62
        profile.decode.k2Milliseconds = 0.000_354_4
        profile.decode.c2Milliseconds = 0.1842
        profile.kvCache.capacityTokens = 427_000
        return profile
    }()

    /// Every 32nd part of ShareGPT's answers (`Tests/Data/traces/sharegpt_opt_poisson16.csv`) and straight lines between.
    private static let answerLengths: [Int] = {
        let quantiles = [
            1, 4, 6, 9, 10, 12, 14, 16, 18, 20, 23, 27, 32, 38, 48, 61, 77, 98, 121, 154, 189, 219, 245, 275, 304, 336,
            361, 399, 446, 523, 613, 748, 1809,
        ]
        return zip(quantiles, quantiles.dropFirst()).flatMap { low, high in
            (0..<64).map { low + (high - low) * $0 / 64 }
        }
    }()

    /// How many answers go on, of all and of those that have come far.
    func survivalPlot() -> String {
        let points = Array(stride(from: 0.0, through: 800, by: 4))
        func curve(after tokens: Double) -> [Series.Point] {
            points.map { .init($0, survival(tokens + $0) / survival(tokens)) }
        }
        return Plot(
            "How long answers go on",
            summary: "Share of answers that go on for more than n further tokens: of all answers half end within 80 "
                + "tokens; of those that have 100 tokens half go on for more than 200.",
            x: Axis("further tokens n"),
            y: Axis("share that goes on for longer", .fraction, range: 0...1),
            series: [
                .line("all: S(n)", curve(after: 0)),
                .line("after 100 tokens: S(100 + n)/S(100)", curve(after: 100)),
            ]
        ).svg()
    }

    /// The probability of a miss against the credit, for paces and tokens so far.
    func missPlot() -> String {
        let credits = Array(stride(from: -1.0, through: 1.0, by: 0.01))
        func curve(pace: Double, tokens: Double) -> [Series.Point] {
            credits.map { .init($0, miss(credit: $0, tokens: tokens, pace: pace)) }
        }
        return Plot(
            "Probability of missing 100 ms a token",
            summary: "Against the credit in seconds. At a pace of 75 ms it is 0 from a credit of 0 on and grows as the "
                + "credit falls, faster for an answer of 8 tokens so far than for one of 100. At 120 ms it is 1 below 0.",
            x: Axis("credit", .seconds),
            y: Axis("probability of a miss", .fraction, range: 0...1),
            series: [
                .line("pace 75 ms, 8 tokens so far", curve(pace: 0.075, tokens: 8)),
                .line("pace 75 ms, 100 tokens so far", curve(pace: 0.075, tokens: 100)),
                .line("pace 120 ms, 8 tokens so far", curve(pace: 0.12, tokens: 8)),
            ]
        ).svg()
    }

    /// The formula of docs/algorithm.md, which the scheduler's `Hazard.miss` is.
    private func miss(credit: Double, tokens: Double, pace: Double) -> Double {
        guard pace < tokenTime else {
            guard credit >= 0 else { return 1 }
            return 1 - survival.probability(endingWithin: credit / (pace - tokenTime), after: tokens)
        }
        guard credit < 0 else { return 0 }
        return survival.probability(endingWithin: -credit / (tokenTime - pace), after: tokens)
    }
}
