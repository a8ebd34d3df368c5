/// Random factors for the times of steps, from a seed: no two real steps take equally long.
struct StepNoise: Sendable {
    /// Standard deviation of the factor; 0 for none.
    let relativeDeviation: Double
    private var state: UInt64

    init(relativeDeviation: Double, seed: UInt64) {
        self.relativeDeviation = relativeDeviation
        state = seed
    }

    /// The next factor: about normal around 1, never below a tenth.
    ///
    /// The sum of twelve uniform numbers has variance 1 and is near enough to a normal one (Irwin-Hall), and comes out
    /// the same on every machine.
    mutating func nextFactor() -> Double {
        guard relativeDeviation > 0 else { return 1 }
        var sum = -6.0
        for _ in 0..<12 {
            state &+= 0x9E37_79B9_7F4A_7C15
            sum += Double(SplitMix64.mix(state) >> 11) * 0x1p-53
        }
        return max(0.1, 1 + relativeDeviation * sum)
    }
}

/// The output function of the SplitMix64 generator: a good hash of 64 bits.
enum SplitMix64 {
    static func mix(_ word: UInt64) -> UInt64 {
        var word = word
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
