internal import Synchronization

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let state = Mutex(0.0)

    init() {}

    package func set(_ value: Double) {
        state.withLock { $0 = value }
    }

    package func add(_ amount: Double) {
        state.withLock { $0 += amount }
    }

    package var value: Double { state.withLock { $0 } }
}
