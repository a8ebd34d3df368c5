internal import ServingModel

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The mean of a quantity over time, what is long past counting exponentially less.
struct TimeAverage: Sendable {
    private(set) var value = 0.0
    private var last: Instant?

    /// Notes what the quantity was from the last call until now.
    mutating func note(_ quantity: Double, timeConstant: Double, at now: Instant) {
        defer { last = max(last ?? now, now) }
        guard let last, now > last else { return }
        value += (quantity - value) * (1 - exp(-(now - last).seconds / timeConstant))
    }
}
