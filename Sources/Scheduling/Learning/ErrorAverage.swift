/// Moving averages of relative errors: how large, and in which direction.
package struct ErrorAverage: Hashable, Sendable {
    /// Weight of a new value; about the last 100 count.
    private static let weight = 0.02

    /// Mean |predicted − actual| / actual.
    private(set) package var magnitude = 0.0
    /// Mean (predicted − actual) / actual; positive is pessimistic.
    private(set) package var bias = 0.0
    private var count = 0

    package init() {}

    package mutating func add(_ error: Double) {
        guard error.isFinite else { return }
        count += 1
        // A plain mean until there are enough values for a moving one.
        let weight = max(Self.weight, 1 / Double(count))
        magnitude += weight * (abs(error) - magnitude)
        bias += weight * (error - bias)
    }
}
