#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Quantiles of the standard normal distribution.
enum NormalQuantile {
    private static let central: (above: [Double], below: [Double]) = (
        [
            2.506628277459239, -30.66479806614716, 138.3577518672690, -275.9285104469687, 220.9460984245205,
            -39.69683028665376,
        ],
        [1, -13.28068155288572, 66.80131188771972, -155.6989798598866, 161.5858368580409, -54.47609879822406]
    )
    private static let tail: (above: [Double], below: [Double]) = (
        [
            2.938163982698783, 4.374664141464968, -2.549732539343734, -2.400758277161838, -0.3223964580411365,
            -0.007784894002430293,
        ],
        [1, 3.754408661907416, 2.445134137142996, 0.3224671290700398, 0.007784695709041462]
    )

    /// Where the distribution function reaches a probability over 0 and below 1; relative error below 1.2e-9.
    ///
    /// Source: Acklam 2003, rational approximations for the centre and the tails.
    static func of(_ probability: Double) -> Double {
        if probability > 0.5 { return -of(1 - probability) }
        guard probability < 0.02425 else {
            let offset = probability - 0.5
            let square = offset * offset
            return offset * polynomial(central.above, square) / polynomial(central.below, square)
        }
        let depth = (-2 * log(probability)).squareRoot()
        return polynomial(tail.above, depth) / polynomial(tail.below, depth)
    }

    /// Coefficients from the constant up.
    private static func polynomial(_ coefficients: [Double], _ argument: Double) -> Double {
        coefficients.reversed().reduce(0) { $0 * argument + $1 }
    }
}

extension SurvivalFunction {
    /// The variance of the length of an answer that has g tokens and goes on, within the lengths that were seen.
    ///
    /// `E[(L − g)² | L > g] = 2·∫ x·S(g + x)/S(g) dx`, by the midpoints of 64 intervals.
    func conditionalVariance(beyond g: Double) -> Double {
        let start = max(g, 0)
        let left = self(start)
        // Beyond all lengths: like the exponential tail that the conditional mean assumes.
        guard left > 0 else { return tailExcess * tailExcess }
        let width = (Double(longest) - start) / 64
        var sum = 0.0
        for interval in 0..<64 {
            let excess = (Double(interval) + 0.5) * width
            sum += excess * self(start + excess)
        }
        let excess = conditionalMean(beyond: start) - start
        return max(0, 2 * sum * width / left - excess * excess)
    }
}
