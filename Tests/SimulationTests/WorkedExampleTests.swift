import Foundation
import ServingModel
import Simulation
import Testing

@testable import Scheduling

/// The figures of "A worked example" in docs/algorithm.md, from the parts of the code that they came from.
@Suite("The worked example of the documentation")
struct WorkedExampleTests {
    private static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Data")

    /// Seconds a token that the objective allows.
    private let tokenTime = 0.1
    private let survival: SurvivalFunction
    private let profile: LatencyProfile
    private let hazard: Hazard

    init() throws {
        let trace = Self.data.appendingPathComponent("traces/sharegpt_opt_poisson16.csv")
        let entries = try TraceReading(text: String(contentsOf: trace, encoding: .utf8), skipBad: false).trace.entries
        survival = SurvivalFunction(lengths: entries.map(\.outputTokens))
        // As the page gives them.
        var profile = LatencyProfile(model: "llama2-70b", device: "A100-80GB")
        profile.prefill.c0Milliseconds = 63.7
        profile.prefill.k1Milliseconds = 0.2548
        profile.decode.c3Milliseconds = 43.62
        profile.decode.c2Milliseconds = 0.1842
        profile.decode.k2Milliseconds = 0.0003544
        self.profile = profile
        hazard = Hazard(survival: survival, interference: 0, usesHints: true, now: .zero)
    }

    private func prefill(_ prompts: Int...) -> Double {
        let tokens = Double(prompts.reduce(0, +))
        return StepModel(profile).prefill(tokens: tokens, squares: 0)
    }

    /// The chance that one of the three recent answers misses, of tokens and credit after the prefill.
    private func miss(tokens: Double, credit: Double, pace: Double) -> Double {
        hazard.miss(credit: credit, tokens: tokens, tokenTime: tokenTime, pace: pace, hint: 0)
    }

    @Test("The batch is full, and its head has slack")
    func batch() {
        let settings = HoldAndDispatch.Settings()
        let seconds = prefill(610, 340, 95, 780)
        #expect(abs(seconds - 0.465) < 0.0005)
        let withFifth = prefill(610, 340, 95, 780, 450)
        #expect(abs(withFifth - 0.580) < 0.0005)
        let budget = settings.batchShare * 2
        #expect(seconds <= budget && withFifth > budget)
        let slack = 2 - 0.820 - seconds
        #expect(abs(slack - 0.715) < 0.0005)
        #expect(abs(slack - settings.lastCall * 2 - 0.415) < 0.0005)
        #expect(settings.patience * 4 == 0.08)
        // Without the prompt of 780 tokens, and with the fifth.
        #expect(abs(prefill(610, 340, 95, 450) - 0.381) < 0.0005)
    }

    @Test("Credits after the prefill are those of the table")
    func credits() {
        let seconds = prefill(610, 340, 95, 780)
        for (atBoundary, after) in [(1.239, 0.774), (0.419, -0.046), (0.169, -0.296)] {
            #expect(abs(atBoundary - seconds - after) < 0.001)
        }
        // W1 by hand: six tokens in 387 ms, and a token at the end of the step 45 ms later.
        let now = tokenTime * (6 - 1) - 0.387
        #expect(abs(now - 0.113) < 1e-9)
        #expect(abs(now - 0.045 + tokenTime - 0.169) < 0.002)
    }

    @Test("The pace of W1 is 76.8 ms with the batch and 75.4 ms without")
    func pace() {
        let slowdown = 1 / (1 - HoldAndDispatch.Settings().interference * 0.09)
        let model = StepModel(profile)
        let with = model.decode(sequences: 53, context: 56_000) * slowdown
        let without = model.decode(sequences: 49, context: 56_000 - 1825) * slowdown
        // The page rounds the context and the share of prefills.
        #expect(abs(with - 0.0768) < 0.0004 && abs(without - 0.0754) < 0.0004)
    }

    @Test("An answer that is behind ends before it has caught up with the chance that the table gives")
    func misses() {
        let tokens = 0.296 / (tokenTime - 0.0768)
        #expect(abs(tokens - 12.8) < 0.05)
        #expect(abs(survival.probability(endingWithin: tokens, after: 7) - 0.225) < 0.002)
        #expect(miss(tokens: 45, credit: 0.774, pace: 0.0768) == 0)
        let second = miss(tokens: 16, credit: -0.046, pace: 0.077)
        #expect(abs(second - 0.042) < 0.002)
        let first = miss(tokens: 7, credit: -0.296, pace: 0.0768)
        #expect(abs(first - 0.225) < 0.002)
    }

    @Test("The worker that was given queries longest ago has the best score, and W1 alone would be refused")
    func choice() {
        let settings = HoldAndDispatch.Settings()
        let pace = 0.0768
        func score(tokens: Double, credit: Double) -> Double {
            3 * miss(tokens: tokens, credit: credit, pace: pace) + settings.balance * pace / tokenTime
        }
        let scores = [
            score(tokens: 45, credit: 0.774), score(tokens: 16, credit: -0.046), score(tokens: 7, credit: -0.296),
        ]
        for (score, expected) in zip(scores, [0.077, 0.203, 0.752]) { #expect(abs(score - expected) < 0.006) }
        #expect(scores[0] < scores[1] && scores[1] < scores[2])
        // W1's hazard alone is beyond what a full batch of four may cost, and what sheds at last call.
        let hazard = 3 * miss(tokens: 7, credit: -0.296, pace: pace)
        #expect(abs(hazard - 0.675) < 0.006)
        #expect(hazard > settings.patience * 4 && hazard / 4 >= settings.shedAt)
        // With 420 ms more behind it, the hazard is 0.17 a query on the page.
        #expect(abs(hazard / 4 - 0.17) < 0.003)
    }
}
