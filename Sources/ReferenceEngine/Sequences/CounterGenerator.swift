/// Random numbers by position instead of by history: the n-th draw of a seed is a function of the two.
///
/// A sequence that is resumed on another worker, or prefilled again after a preemption, therefore draws what it would have
/// drawn. The function is SplitMix64's finaliser (Steele, Lea and Flood, 2014), applied twice.
enum CounterGenerator {
    /// Uniform in 0..<1, 53 bits.
    static func uniform(seed: UInt64, index: Int) -> Double {
        let word = mix(mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ (UInt64(bitPattern: Int64(index)) &* 0xD1B5_4A32_D192_ED03))
        return Double(word >> 11) * 0x1p-53
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
