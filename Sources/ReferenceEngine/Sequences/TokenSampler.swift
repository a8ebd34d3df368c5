internal import Glibc
internal import ServingModel

/// Draws one token from a row of scores.
///
/// Order, as in vLLM: temperature, then top-k, then top-p over what top-k left. Candidates are ordered by score, the
/// highest first, the lowest token on ties, so equal scores give equal tokens.
struct TokenSampler {
    let temperature: Double
    let topP: Double
    let topK: Int
    let seed: UInt64

    init(sampling: Sampling, defaultSeed: UInt64) {
        temperature = sampling.temperature
        topP = sampling.topP
        topK = sampling.topK
        seed = sampling.seed ?? defaultSeed
    }

    private struct Candidate {
        var token: Int
        /// `exp((score − highest) / temperature)`: in proportion to the probability.
        var weight: Double
    }

    /// Draws from `logits`, `[count]`; `index`, the token's place in the output, picks the random number.
    func sample(_ logits: UnsafePointer<Float>, count: Int, index: Int) -> Int32 {
        let best = Self.argmax(logits, count: count)
        guard temperature > 0, topK != 1 else { return Int32(best) }
        var candidates = weights(logits, count: count, highest: logits[best])
        if topK > 0, topK < candidates.count {
            Self.sort(&candidates)
            candidates.removeSubrange(topK...)
        }
        if topP < 1 { keepNucleus(&candidates) }
        let total = candidates.reduce(0) { $0 + $1.weight }
        let target = CounterGenerator.uniform(seed: seed, index: index) * total
        var sum = 0.0
        for candidate in candidates {
            sum += candidate.weight
            if target < sum { return Int32(candidate.token) }
        }
        return Int32(candidates.last?.token ?? best)
    }

    /// The highest score's token, the lowest on ties; NaN is never the highest.
    static func argmax(_ logits: UnsafePointer<Float>, count: Int) -> Int {
        var best = 0
        for token in 1..<max(1, count) where logits[token] > logits[best] || logits[best].isNaN {
            best = token
        }
        return best
    }

    /// All tokens that have a chance, in ascending order of token.
    private func weights(_ logits: UnsafePointer<Float>, count: Int, highest: Float) -> [Candidate] {
        var candidates: [Candidate] = []
        candidates.reserveCapacity(count)
        for token in 0..<count {
            let weight = exp((Double(logits[token]) - Double(highest)) / temperature)
            if weight > 0 { candidates.append(Candidate(token: token, weight: weight)) }
        }
        return candidates
    }

    /// Keeps the smallest set of most likely candidates whose probabilities reach `topP`, at least one.
    private func keepNucleus(_ candidates: inout [Candidate]) {
        let total = candidates.reduce(0) { $0 + $1.weight }
        // Those below this share cannot reach 1 − topP all together, so none of them is in the set.
        let floor = (1 - topP) * total / Double(candidates.count)
        var likely = candidates.filter { $0.weight >= floor }
        Self.sort(&likely)
        var sum = 0.0
        var kept = 0
        while kept < likely.count {
            sum += likely[kept].weight
            kept += 1
            if sum >= topP * total { break }
        }
        candidates = Array(likely.prefix(max(1, kept)))
    }

    private static func sort(_ candidates: inout [Candidate]) {
        candidates.sort { ($1.weight, $0.token) < ($0.weight, $1.token) }
    }
}
