#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Student's t distribution, for the width of prediction intervals.
enum StudentDistribution {
    /// The t that |T| stays below with this probability, by bisection of `central`.
    ///
    /// - Parameters:
    ///   - probability: in (0, 1); 0.95 for a two-sided 95 % interval.
    ///   - degrees: of freedom, at least 1.
    static func centralQuantile(_ probability: Double, degrees: Int) -> Double {
        var low = 0.0
        var high = 1.0
        while central(high, degrees: degrees) < probability, high < 1e9 { high *= 2 }
        for _ in 0..<80 {
            let middle = (low + high) / 2
            if central(middle, degrees: degrees) < probability { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// P(|T| < t), as a finite sum: Abramowitz and Stegun 26.7.3 and 26.7.4.
    static func central(_ t: Double, degrees: Int) -> Double {
        let angle = atan(t / Double(degrees).squareRoot())
        let cosine = cos(angle)
        let square = cosine * cosine
        var term = degrees % 2 == 1 ? cosine : 1.0
        var sum = 0.0
        var step = degrees % 2 == 1 ? 1 : 0
        while step <= degrees - 2 {
            sum += term
            term *= square * Double(step + 1) / Double(step + 2)
            step += 2
        }
        if degrees % 2 == 0 { return sin(angle) * sum }
        return (angle + sin(angle) * sum) * 2 / Double.pi
    }
}
