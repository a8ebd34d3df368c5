internal import Synchronization

/// A number that only grows.
package final class Counter: Sendable {
    private let state = Mutex(0.0)

    init() {}

    /// Adds `amount`; what is negative or NaN is ignored, as a counter never falls.
    package func increment(by amount: Double = 1) {
        guard amount > 0 else { return }
        state.withLock { $0 += amount }
    }

    package func increment(by amount: Int) {
        increment(by: Double(amount))
    }

    package var value: Double { state.withLock { $0 } }
}
