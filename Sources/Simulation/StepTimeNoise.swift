internal import ServingModel

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Step times that scatter around what the profile says: factors exp(σ·z − σ²/2), z standard normal, so that their mean is 1.
///
/// Each worker draws from a stream of its own, so that its n-th step has the same factor under every policy.
package struct StepTimeNoise: Hashable, Sendable {
    /// Standard deviation of the factor's logarithm; about the relative deviation where that is small.
    package var sigma: Double
    package var seed: UInt64

    /// - Precondition: `sigma` is in 0…1.
    package init(sigma: Double, seed: UInt64) {
        precondition((0...1).contains(sigma), "step times scatter by more than they are")
        self.sigma = sigma
        self.seed = seed
    }

    /// The generator of a worker's stream.
    func generator(stream: Int) -> SeededGenerator {
        var mixer = SeededGenerator(seed: seed &+ UInt64(bitPattern: Int64(stream)))
        return SeededGenerator(seed: mixer.next())
    }

    func apply(to duration: Interval, _ generator: inout SeededGenerator) -> Interval {
        // Box and Muller's method; the second value of the pair is not kept.
        let radius = (2 * generator.exponential()).squareRoot()
        let z = radius * cos(2 * Double.pi * generator.uniform())
        let nanoseconds = Double(duration.nanoseconds) * exp(sigma * z - sigma * sigma / 2)
        return Interval(nanoseconds: max(1, Int64(nanoseconds.rounded())))
    }
}
