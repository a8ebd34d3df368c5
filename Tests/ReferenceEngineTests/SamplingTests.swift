import ServingModel
import Testing

@testable import ReferenceEngine

@Suite("Sampling")
struct SamplingTests {
    private func draw(_ sampling: Sampling, _ logits: [Float], index: Int = 0) -> Int32 {
        TokenSampler(sampling: sampling, defaultSeed: 5).sample(logits, count: logits.count, index: index)
    }

    private func draws(_ sampling: Sampling, _ logits: [Float], count: Int = 4000) -> [Int32: Int] {
        (0..<count).reduce(into: [:]) { $0[draw(sampling, logits, index: $1), default: 0] += 1 }
    }

    @Test("greedy takes the highest score, the lowest token on ties")
    func greedy() {
        #expect(draw(Sampling(), [1, 3, 2, 3]) == 1)
        #expect(draw(Sampling(), [2, 2, 2]) == 0)
        #expect(draw(Sampling(), [.nan, -4, -3]) == 2)
        #expect(draw(Sampling(temperature: 1, topK: 1), [0, 5, 5]) == 1)
    }

    @Test("the same seed and index draw the same token, other ones others")
    func determinism() {
        let logits = (0..<100).map { Float($0 % 7) }
        let sampling = Sampling(temperature: 1, seed: 42)
        let first = (0..<50).map { draw(sampling, logits, index: $0) }
        #expect(first == (0..<50).map { draw(sampling, logits, index: $0) })
        #expect(Set(first).count > 10)
        let other = (0..<50).map { draw(Sampling(temperature: 1, seed: 43), logits, index: $0) }
        #expect(first != other)
        // Without a seed of its own, the query's default counts.
        #expect(draw(Sampling(temperature: 1), logits) == draw(Sampling(temperature: 1, seed: 5), logits))
    }

    @Test("temperature 1 draws in proportion to the probabilities")
    func proportions() {
        // Probabilities 0.6, 0.3 and 0.1.
        let counts = draws(Sampling(temperature: 1, seed: 1), [0.6, 0.3, 0.1].map { Float.log($0) }, count: 20_000)
        #expect(abs(Double(counts[0] ?? 0) / 20_000 - 0.6) < 0.02)
        #expect(abs(Double(counts[1] ?? 0) / 20_000 - 0.3) < 0.02)
        #expect(abs(Double(counts[2] ?? 0) / 20_000 - 0.1) < 0.02)
    }

    @Test("top-k keeps the k highest, the lowest tokens on ties")
    func topK() {
        let counts = draws(Sampling(temperature: 5, topK: 2, seed: 1), [1, 4, 3, 3, 0])
        #expect(Set(counts.keys) == [1, 2])
    }

    @Test("top-p keeps the smallest set that reaches it, at least one token")
    func topP() {
        let logits = [0.1, 0.5, 0.15, 0.25].map { Float.log($0) }
        #expect(Set(draws(Sampling(temperature: 1, topP: 0.7, seed: 1), logits).keys) == [1, 3])
        #expect(Set(draws(Sampling(temperature: 1, topP: 0.01, seed: 1), logits).keys) == [1])
        #expect(Set(draws(Sampling(temperature: 1, topP: 0.76, seed: 1), logits).keys) == [1, 2, 3])
        #expect(Set(draws(Sampling(temperature: 1, topP: 0.6, topK: 2, seed: 1), logits).keys) == [1])
    }

    @Test("draws lie in the unit interval and spread over it")
    func uniform() {
        let values = (0..<10_000).map { CounterGenerator.uniform(seed: 0, index: $0) }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.02)
        #expect(Set(values).count == 10_000)
    }
}

extension Float {
    /// Natural logarithm by bisection of `exp`'s series: tests need few digits and no C library.
    fileprivate static func log(_ value: Double) -> Float {
        var (low, high) = (-20.0, 20.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            var (term, sum) = (1.0, 1.0)
            for power in 1..<200 {
                term *= middle / Double(power)
                sum += term
            }
            if sum < value { low = middle } else { high = middle }
        }
        return Float(low)
    }
}
