/// Least squares over a stream of rows, the latest counting most.
///
/// State: coefficients θ (n) and covariance P (n × n). For a row x with target y:
/// `k = P·x / (λ + xᵀ·P·x)`, `θ += k·(y − xᵀ·θ)`, `P = (P − k·xᵀ·P) / λ`.
///
/// Forgetting inflates P in directions that the rows never show. It is suspended where a variance would grow beyond its
/// prior, so the filter neither falls asleep nor goes wild after a quiet spell.
package struct RecursiveLeastSquares: Sendable {
    private(set) package var coefficients: [Double]
    private var covariance: [Double]
    private let priorVariances: [Double]
    private let forgetting: Double
    private let count: Int

    /// - Parameters:
    ///   - coefficients: the prior mean, n values.
    ///   - deviations: the prior standard deviation of each, all positive.
    ///   - forgetting: λ in (0, 1]; 1 forgets nothing.
    package init(coefficients: [Double], deviations: [Double], forgetting: Double) {
        precondition(coefficients.count == deviations.count, "one deviation for each coefficient")
        precondition(forgetting > 0 && forgetting <= 1, "λ lies in (0, 1]")
        self.coefficients = coefficients
        self.forgetting = forgetting
        count = coefficients.count
        priorVariances = deviations.map { $0 * $0 }
        covariance = [Double](repeating: 0, count: count * count)
        for index in 0..<count { covariance[index * count + index] = priorVariances[index] }
    }

    package mutating func update(row: [Double], target: Double) {
        precondition(row.count == count, "a row has one value for each coefficient")
        guard row.allSatisfy(\.isFinite), target.isFinite else { return }
        var projected = [Double](repeating: 0, count: count)
        for i in 0..<count {
            for j in 0..<count { projected[i] += covariance[i * count + j] * row[j] }
        }
        var denominator = Self.noise
        var predicted = 0.0
        for i in 0..<count {
            denominator += row[i] * projected[i]
            predicted += row[i] * coefficients[i]
        }
        let residual = target - predicted
        for i in 0..<count { coefficients[i] += projected[i] / denominator * residual }
        for i in 0..<count {
            for j in 0..<count { covariance[i * count + j] -= projected[i] * projected[j] / denominator }
        }
        forget()
    }

    /// Variance of the relative noise of one row: a step's time is known to about 5 %.
    private static let noise = 0.0025

    private mutating func forget() {
        for i in 0..<count where covariance[i * count + i] / forgetting > priorVariances[i] { return }
        for index in covariance.indices { covariance[index] /= forgetting }
    }
}
