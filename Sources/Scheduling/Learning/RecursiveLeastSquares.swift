/// Least squares over a stream of rows, the latest counting most.
///
/// State: coefficients θ (n) and covariance P (n × n). For a row x with target y:
/// `k = P·x / (λ + xᵀ·P·x)`, `θ += k·(y − xᵀ·θ)`, `P = (P − k·xᵀ·P) / λ`.
///
/// Forgetting inflates P in directions that the rows never show. It is suspended where a variance would grow beyond its
/// prior, so the filter neither falls asleep nor goes wild after a quiet spell.
package struct RecursiveLeastSquares: Sendable {
    /// Coefficients at most: those beyond `count` are 0 and stay so.
    private static let width = SIMD8<Double>.scalarCount

    private(set) var coefficientVector: SIMD8<Double>
    /// P is symmetric to the last bit, so that its rows are its columns.
    private var covariance: [SIMD8<Double>]
    private let priorVariances: SIMD8<Double>
    private let forgetting: Double
    private let count: Int

    /// - Parameters:
    ///   - coefficients: the prior mean, n values; at most 8.
    ///   - deviations: the prior standard deviation of each, all positive.
    ///   - forgetting: λ in (0, 1]; 1 forgets nothing.
    package init(coefficients: [Double], deviations: [Double], forgetting: Double) {
        precondition(coefficients.count == deviations.count, "one deviation for each coefficient")
        precondition(coefficients.count <= Self.width, "at most \(Self.width) coefficients")
        precondition(forgetting > 0 && forgetting <= 1, "λ lies in (0, 1]")
        self.forgetting = forgetting
        count = coefficients.count
        var vector = SIMD8<Double>.zero
        var variances = SIMD8<Double>.zero
        covariance = [SIMD8<Double>](repeating: .zero, count: count)
        for index in 0..<count {
            vector[index] = coefficients[index]
            variances[index] = deviations[index] * deviations[index]
            covariance[index][index] = variances[index]
        }
        coefficientVector = vector
        priorVariances = variances
    }

    package var coefficients: [Double] { (0..<count).map { coefficientVector[$0] } }

    package mutating func update(row: [Double], target: Double) {
        precondition(row.count == count, "a row has one value for each coefficient")
        var vector = SIMD8<Double>.zero
        for index in 0..<count { vector[index] = row[index] }
        update(row: vector, target: target)
    }

    /// - Parameter row: 0 beyond the last coefficient.
    mutating func update(row: SIMD8<Double>, target: Double) {
        for index in 0..<count where !row[index].isFinite { return }
        guard target.isFinite else { return }
        var projected = SIMD8<Double>.zero
        for index in 0..<count { projected += covariance[index] * row[index] }
        var denominator = Self.noise
        var predicted = 0.0
        for index in 0..<count {
            denominator += row[index] * projected[index]
            predicted += row[index] * coefficientVector[index]
        }
        let residual = target - predicted
        coefficientVector += projected / denominator * residual
        for index in 0..<count { covariance[index] -= projected[index] * projected / denominator }
        forget()
    }

    /// Variance of the relative noise of one row: a step's time is known to about 5 %.
    private static let noise = 0.0025

    private mutating func forget() {
        for index in 0..<count where covariance[index][index] / forgetting > priorVariances[index] { return }
        for index in 0..<count { covariance[index] /= forgetting }
    }
}
