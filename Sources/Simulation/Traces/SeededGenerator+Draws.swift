internal import ServingModel

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

// The standard library may change how it makes numbers of a range from bits; these stay as they are.
extension SeededGenerator {
    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Exponential with mean 1.
    mutating func exponential() -> Double {
        -log(1 - uniform())
    }

    /// Uniform in 0..<`bound` (the bias is below `bound` · 2⁻⁶⁴).
    mutating func index(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
