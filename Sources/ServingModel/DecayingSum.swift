#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A sum whose parts fade exponentially: what lately came, per second.
package struct DecayingSum: Hashable, Sendable {
    private let timeConstant: Double
    private var sum = 0.0
    private var last = Instant.zero

    /// - Parameter timeConstant: seconds after which a part counts 1/e.
    package init(timeConstant: Double) {
        self.timeConstant = timeConstant
    }

    package mutating func add(_ value: Double, at now: Instant) {
        sum = faded(at: now) + value
        last = max(last, now)
    }

    /// Units per second over about the time constant.
    package func rate(at now: Instant) -> Double {
        faded(at: now) / timeConstant
    }

    private func faded(at now: Instant) -> Double {
        // What comes together is added to what has just been.
        now <= last ? sum : sum * exp(-(now - last).seconds / timeConstant)
    }
}
