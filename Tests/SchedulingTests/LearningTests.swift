import Scheduling
import ServingModel
import Testing

@Suite("Learning how fast workers are")
struct LearningTests {
    /// A random step within a worker's limits.
    private func workload(_ generator: inout SeededGenerator) -> StepWorkload {
        let prompt = Int.random(in: 16...2048, using: &generator)
        let sequences = Int.random(in: 1...64, using: &generator)
        let context = sequences * Int.random(in: 50...800, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: return StepWorkload(kind: .prefill, prefillTokens: prompt, prefillSquares: prompt * prompt)
        case 1: return StepWorkload(kind: .decode, decodeSequences: sequences, contextTokens: context)
        default:
            return StepWorkload(
                kind: .mixed,
                prefillTokens: prompt,
                prefillSquares: prompt * prompt,
                decodeSequences: sequences,
                contextTokens: context
            )
        }
    }

    private func train(
        _ estimator: inout StepTimeEstimator,
        on truth: LatencyProfile,
        steps: Int,
        noise: Double = 0,
        _ generator: inout SeededGenerator
    ) {
        for _ in 0..<steps {
            let workload = workload(&generator)
            let factor = noise > 0 ? 1 + Double.random(in: -noise...noise, using: &generator) : 1
            estimator.observe(workload, took: .seconds(rounding: truth.seconds(of: workload) * factor))
        }
    }

    private func worstError(
        of estimator: StepTimeEstimator,
        against truth: LatencyProfile,
        _ generator: inout SeededGenerator
    ) -> Double {
        var worst = 0.0
        for _ in 0..<200 {
            let workload = workload(&generator)
            let actual = truth.seconds(of: workload)
            worst = max(worst, abs(estimator.predict(workload).seconds - actual) / actual)
        }
        return worst
    }

    @Test("Least squares find the coefficients of exact rows")
    func exactRows() {
        var generator = SeededGenerator(seed: 1)
        var filter = RecursiveLeastSquares(coefficients: [0, 0, 0], deviations: [100, 100, 100], forgetting: 1)
        for _ in 0..<500 {
            let row = (0..<3).map { _ in Double.random(in: -1...1, using: &generator) }
            filter.update(row: row, target: 3 * row[0] - 2 * row[1] + 0.5 * row[2])
        }
        for (found, wanted) in zip(filter.coefficients, [3, -2, 0.5]) { #expect(abs(found - wanted) < 1e-3) }
    }

    @Test("A row that is no number teaches nothing")
    func ignoresNonsense() {
        var filter = RecursiveLeastSquares(coefficients: [1, 2], deviations: [1, 1], forgetting: 0.99)
        filter.update(row: [.nan, 1], target: 1)
        filter.update(row: [1, 1], target: .infinity)
        #expect(filter.coefficients == [1, 2])
    }

    @Test("A worker slower or faster than its profile is known after some hundred steps", arguments: [0.5, 2, 4])
    func converges(speed: Double) {
        var generator = SeededGenerator(seed: 2)
        let truth = LatencyProfile.sample(speed: speed)
        var estimator = StepTimeEstimator(registered: .sample())
        #expect(estimator.profile == .sample())
        let before = worstError(of: estimator, against: truth, &generator)
        train(&estimator, on: truth, steps: 500, &generator)
        #expect(before > 0.4)
        #expect(worstError(of: estimator, against: truth, &generator) < 0.02)
        #expect(estimator.steps == 500)
    }

    @Test("Noise of ten per cent does not throw it off")
    func convergesWithNoise() {
        var generator = SeededGenerator(seed: 3)
        let truth = LatencyProfile.sample(speed: 0.6)
        var estimator = StepTimeEstimator(registered: .sample())
        train(&estimator, on: truth, steps: 3000, noise: 0.1, &generator)
        #expect(worstError(of: estimator, against: truth, &generator) < 0.06)
    }

    @Test("A worker that becomes slower is followed, also after a long quiet life")
    func followsDrift() {
        var generator = SeededGenerator(seed: 4)
        var estimator = StepTimeEstimator(registered: .sample())
        train(&estimator, on: .sample(), steps: 5000, &generator)
        let slower = LatencyProfile.sample(speed: 0.7)
        train(&estimator, on: slower, steps: 4000, &generator)
        #expect(worstError(of: estimator, against: slower, &generator) < 0.05)
    }

    @Test("Steps of one shape alone leave predictions finite and positive")
    func oneShape() {
        var estimator = StepTimeEstimator(registered: .sample())
        let workload = StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 10)
        for _ in 0..<20_000 { estimator.observe(workload, took: .milliseconds(5)) }
        #expect(abs(estimator.predict(workload).milliseconds - 5) < 0.1)
        let other = estimator.predict(StepWorkload(kind: .prefill, prefillTokens: 1000, prefillSquares: 1_000_000))
        #expect(other > .milliseconds(20) && other < .seconds(2))
        estimator.observe(workload, took: .zero)
        #expect(estimator.steps == 20_000)
    }

    @Test("Errors are averaged by size and by direction")
    func errors() {
        var average = ErrorAverage()
        for index in 0..<1000 { average.add(index.isMultiple(of: 2) ? 0.2 : -0.1) }
        #expect(abs(average.magnitude - 0.15) < 0.01)
        #expect(abs(average.bias - 0.05) < 0.01)
        average.add(.nan)
        #expect(average.magnitude.isFinite)
    }

    @Test("Bytes per token are learnt for each model by itself, and are never less than a token")
    func promptLengths() {
        var estimator = PromptLengthEstimator()
        #expect(estimator.tokens(inBytes: 400, model: "a") == 100)
        #expect(estimator.tokens(inBytes: 1, model: "a") == 1)
        for _ in 0..<200 { estimator.observe(tokens: 200, bytes: 400, model: "a") }
        #expect(estimator.tokens(inBytes: 400, model: "a") == 200)
        #expect(estimator.tokens(inBytes: 400, model: "b") == 100)
        estimator.observe(tokens: 0, bytes: 10, model: "b")
        estimator.observe(tokens: 10, bytes: 0, model: "b")
        #expect(estimator.tokens(inBytes: 400, model: "b") == 100)
    }
}
