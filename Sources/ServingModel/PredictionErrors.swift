/// How far latency predictions were off, over about the last hundred queries.
package struct PredictionErrors: Hashable, Sendable {
    /// Moving averages of one kind of prediction's relative error, `(predicted − actual) / actual`.
    package struct Average: Hashable, Sendable {
        /// Weight of a new value once there are enough for a moving average; about the last 100 count.
        private static let weight = 0.02

        /// Mean absolute error.
        package var magnitude: Double
        /// Mean signed error; positive is pessimistic.
        package var bias: Double
        /// Predictions compared in all.
        package var count: UInt64

        package init(magnitude: Double = 0, bias: Double = 0, count: UInt64 = 0) {
            self.magnitude = magnitude
            self.bias = bias
            self.count = count
        }

        /// Compares a prediction with what happened; one that was not made, or of nothing, is passed over.
        package mutating func compare(predicted: Interval?, actual: Interval) {
            guard let predicted, actual > .zero else { return }
            let error = (predicted.seconds - actual.seconds) / actual.seconds
            count += 1
            // A plain mean until there are enough values for a moving one.
            let weight = max(Self.weight, 1 / Double(count))
            magnitude += weight * (abs(error) - magnitude)
            bias += weight * (error - bias)
        }
    }

    /// Of the time from arrival to the first token.
    package var timeToFirstToken = Average()
    /// Of the mean time of the tokens after the first.
    package var tokenTime = Average()

    package init() {}

    /// Whether nothing was compared yet.
    package var isEmpty: Bool { self == PredictionErrors() }
}
