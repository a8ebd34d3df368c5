/// Notices when the level of a series has changed, by cumulative sums in both directions (CUSUM; Page 1954).
///
/// Values are standardised by a mean and variance learnt from the series, `z = (x − mean)/σ`; the sums are
/// `up = max(0, up + z − allowance)` and likewise down, and one beyond `threshold` is a change. Then the mean starts again
/// from what was seen since that sum was last 0. With the defaults a shift of one σ is noticed after about 16 values, and
/// a steady normal series raises a false alarm about once in 10⁴ values.
package struct ChangeDetector: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        case rise
        case fall
    }

    /// Deviations that are ignored, in σ: half the shift that matters.
    package var allowance = 0.5
    /// The sum that is a change, in σ.
    package var threshold = 8.0
    /// Values over which mean and variance are learnt.
    package var memory = 300.0
    /// The variance is taken as at least this many times the mean: 1 for counts, which vary at least like Poisson's.
    package var dispersion: Double

    /// The level at present; nil before the first value.
    package var level: Double? { count > 0 ? mean : nil }

    private static let warmUp = 30.0
    /// How far from the level, in σ, a value can be taken to be.
    private static let largestDeviation = 4.0

    private var count = 0.0
    private var mean = 0.0
    private var variance = 0.0
    private var up = Excursion()
    private var down = Excursion()

    private struct Excursion: Hashable, Sendable {
        var sum = 0.0
        var count = 0.0
        var total = 0.0

        mutating func add(_ deviation: Double, value: Double) {
            sum += deviation
            count += 1
            total += value
            if sum <= 0 { self = Excursion() }
        }
    }

    package init(dispersion: Double = 0) {
        self.dispersion = dispersion
    }

    /// - Returns: a change if this value made it certain.
    package mutating func observe(_ value: Double) -> Change? {
        guard value.isFinite else { return nil }
        let spread = max(variance, dispersion * mean, 1e-12 * (1 + mean * mean)).squareRoot()
        let limit = Self.largestDeviation * spread
        // Held near the level as soon as there is one, lest an outlier look like a change or deafen the detector.
        let value = count >= Self.warmUp ? min(max(value, mean - limit), mean + limit) : value
        let deviation = (value - mean) / spread
        learn(value)
        guard count > Self.warmUp else { return nil }
        up.add(deviation - allowance, value: value)
        down.add(-deviation - allowance, value: value)
        if up.sum > threshold { return restart(from: up, .rise) }
        if down.sum > threshold { return restart(from: down, .fall) }
        return nil
    }

    private mutating func learn(_ value: Double) {
        count += 1
        let weight = 1 / min(count, memory)
        let before = value - mean
        mean += weight * before
        variance = (1 - weight) * (variance + weight * before * before)
    }

    private mutating func restart(from excursion: Excursion, _ change: Change) -> Change {
        mean = excursion.total / excursion.count
        count = max(excursion.count, Self.warmUp)
        up = Excursion()
        down = Excursion()
        return change
    }
}
