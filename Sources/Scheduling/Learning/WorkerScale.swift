package import ServingModel

/// How much slower or faster one worker is than the profile that it shares with others of its kind.
///
/// A moving average of actual over predicted time. One number is known after a few steps, where a model of its own takes
/// hundreds; it starts at 1 and leaves it as evidence comes in.
package struct WorkerScale: Hashable, Sendable {
    /// Weight of a new step; about the last 100 count.
    private static let weight = 0.02
    /// Steps' worth of belief in 1 at the beginning.
    private static let prior = 10
    /// A single step says no more than this, either way: it was preempted, or the clock jumped.
    private static let largestRatio = 4.0
    /// Where a prediction is held that would leave 64 bits.
    private static let longestSeconds = 4e9

    /// Multiplies the shared profile's predictions.
    private(set) package var factor = 1.0
    private(set) package var steps = 0

    package init() {}

    /// Compares a step with what the shared profile predicted for it, without this factor.
    package mutating func observe(predicted: Interval, actual: Interval) {
        guard predicted > .zero, actual > .zero else { return }
        let ratio = actual.seconds / predicted.seconds
        steps += 1
        let weight = max(Self.weight, 1 / Double(steps + Self.prior))
        factor += weight * (min(max(ratio, 1 / Self.largestRatio), Self.largestRatio) - factor)
    }

    /// The shared profile's prediction for this worker.
    package func scaled(_ predicted: Interval) -> Interval {
        .seconds(rounding: min(predicted.seconds * factor, Self.longestSeconds))
    }

    /// Back to 1.
    package mutating func reset() {
        self = WorkerScale()
    }
}
