/// An output length and how much it counts.
package struct WeightedLength: Hashable, Sendable {
    package var tokens: Int
    package var weight: Double

    package init(tokens: Int, weight: Double) {
        self.tokens = tokens
        self.weight = weight
    }
}

extension WeightedLength {
    /// What to believe before anything is known: lengths spread evenly over the octaves from 8 to 2,048 tokens.
    ///
    /// Median 128, mean about 390, a tenth above 1,200. It is pessimistic at both ends: long answers that fill the KV
    /// cache, and short ones that end before they can make up for a delay, are both likely.
    static let prior: [WeightedLength] = (0...32).map { quarter in
        let fractions = [1, 1.189_207_115, 1.414_213_562, 1.681_792_831]
        let tokens = 8 * Double(1 << (quarter / 4)) * fractions[quarter % 4]
        return WeightedLength(tokens: Int(tokens.rounded()), weight: 1.0 / 33)
    }
}
