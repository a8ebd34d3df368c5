import Scheduling
import ServingModel
import Testing

@Suite("The survival function of output lengths")
struct SurvivalFunctionTests {
    /// Many short lengths and a long tail, as answers have.
    private func lengths(_ count: Int, most: Int, _ generator: inout SeededGenerator) -> [Int] {
        (0..<count).map { _ in
            let octaves = Int.random(in: 0...20, using: &generator)
            return Int.random(in: 1...max(1, most >> octaves), using: &generator)
        }
    }

    @Test("It agrees with counting at whole numbers and between them")
    func agreesWithCounting() {
        var generator = SeededGenerator(seed: 1)
        for most in [1, 2, 7, 300, 4095, 4096] {
            let naive = NaiveLengths(lengths: lengths(150, most: most, &generator))
            let function = SurvivalFunction(lengths: naive.lengths)
            for _ in 0..<200 {
                let tokens = Double.random(in: 0...Double(most + 3), using: &generator)
                #expect(abs(function(tokens) - naive.survival(tokens)) < 1e-9)
                let whole = tokens.rounded(.down)
                #expect(abs(function(whole) - naive.survival(Int(whole))) < 1e-12)
            }
        }
    }

    @Test("Conditional means agree with the mean of what is longer")
    func conditionalMeans() throws {
        var generator = SeededGenerator(seed: 2)
        let naive = NaiveLengths(lengths: lengths(200, most: 2000, &generator))
        let function = SurvivalFunction(lengths: naive.lengths)
        for tokens in 0..<function.longest {
            let expected = try #require(naive.conditionalMean(beyond: tokens))
            #expect(abs(function.conditionalMean(beyond: Double(tokens)) - expected) < 1e-6 * expected)
        }
        #expect(abs(function.mean - Double(naive.lengths.reduce(0, +)) / 200) < 1e-9)
        let pairs = naive.lengths.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
        #expect(abs(function.meanOwnContexts - Double(pairs) / 200) < 1e-6)
    }

    @Test("A conditional mean is never less than a token away, not even beyond the longest")
    func conditionalMeansAreAhead() {
        var generator = SeededGenerator(seed: 3)
        for sample in [[1], [5], [5, 5, 5], lengths(100, most: 50_000, &generator)] {
            let function = SurvivalFunction(lengths: sample)
            for _ in 0..<500 {
                let tokens = Double.random(in: 0...Double(2 * function.longest), using: &generator)
                #expect(function.conditionalMean(beyond: tokens) >= tokens + 1 - 1e-9)
                #expect(function.conditionalQuantile(0.9, beyond: tokens) > Int(tokens))
            }
        }
    }

    @Test("Quantiles agree with sorting, from the start and from a length reached")
    func quantiles() throws {
        var generator = SeededGenerator(seed: 4)
        let naive = NaiveLengths(lengths: lengths(128, most: 3000, &generator))
        let function = SurvivalFunction(lengths: naive.lengths)
        for q in [0, 0.125, 0.25, 0.5, 0.75, 0.875, 1] {
            #expect(function.quantile(q) == max(q == 0 ? 1 : try #require(naive.quantile(q, beyond: 0)), 1))
        }
        for reached in [1, 10, 100, 700] {
            // A share that no count hits exactly: rounding must not decide.
            for q in [0.3333, 0.5001, 0.9111] {
                let expected = try #require(naive.quantile(q, beyond: reached))
                #expect(function.conditionalQuantile(q, beyond: Double(reached)) == expected)
            }
        }
    }

    @Test("A tail to a million tokens stays small and close to the truth")
    func longTail() {
        var generator = SeededGenerator(seed: 5)
        let naive = NaiveLengths(lengths: lengths(400, most: 1_000_000, &generator) + [1_000_000])
        let function = SurvivalFunction(lengths: naive.lengths)
        var before = 1.0
        for tokens in stride(from: 0, through: 1_000_100, by: 997) {
            let value = function(Double(tokens))
            #expect(value <= before)
            // A step of the table is 244 tokens: at most what ends within one step either way.
            #expect(value <= naive.survival(tokens - 244) + 1e-12)
            #expect(value >= naive.survival(tokens + 244) - 1e-12)
            before = value
        }
        #expect(function(1_000_000) == 0)
        #expect(function(999_000) > 0)
        for q in [0.2, 0.5, 0.9, 0.99] {
            let quantile = function.quantile(q)
            #expect(function(Double(quantile)) <= 1 - q + 1e-12)
            #expect(function(Double(quantile - 1)) > 1 - q - 1e-12)
        }
    }

    @Test("The chance of ending within n tokens follows from S, and has a convention where nothing was seen")
    func endingWithin() {
        let function = SurvivalFunction(lengths: [10, 20, 30, 40])
        #expect(function.probability(endingWithin: 10, after: 0) == 0.25)
        #expect(abs(function.probability(endingWithin: 10, after: 10) - 1.0 / 3) < 1e-12)
        #expect(function.probability(endingWithin: 0, after: 25) == 0)
        #expect(function.probability(endingWithin: -3, after: 25) == 0)
        #expect(function.probability(endingWithin: .infinity, after: 25) == 1)
        let beyond = function.probability(endingWithin: 1, after: 41)
        #expect(beyond > 0 && beyond < 1)
        #expect(function.probability(endingWithin: .infinity, after: 41) == 1)
    }

    @Test("Beyond the longest length the tail goes on with the scale of its last twentieth")
    func beyondTheLongest() {
        // 5 of 100 exceed 100, by 50 on average.
        let function = SurvivalFunction(lengths: [Int](repeating: 100, count: 95) + [110, 130, 150, 170, 190])
        #expect(abs(function.tailExcess - 50) < 1e-9)
        #expect(abs(function.conditionalMean(beyond: 500) - 550) < 1e-9)
        #expect(SurvivalFunction(lengths: [7, 7, 7]).tailExcess == 1)
    }

    @Test("Negative and extreme arguments are answered")
    func extremes() {
        let function = SurvivalFunction(lengths: [1])
        #expect(function(-5) == 1)
        #expect(function(0) == 1)
        #expect(function(0.5) == 0.5)
        #expect(function(1) == 0)
        #expect(function(.infinity) == 0)
        #expect(function.quantile(0.5) == 1)
        #expect(function.conditionalMean(beyond: -1) == 1)
    }
}
