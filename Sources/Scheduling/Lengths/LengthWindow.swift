/// The latest output lengths of one kind of query, and the survival function made from them.
///
/// While there are few, the survival function is a mixture: the prior counts as much as `priorSamples` lengths at first
/// and nothing from `fadedSamples` on. It is made anew after 2 % new lengths, and after 50 at the latest.
///
/// A cold start shows short answers first: the long ones are still running. Where lengths of unfinished answers are
/// given, each one's weight goes to what is longer than it is already, in the manner of Kaplan and Meier (1958), until
/// the window holds `unbiasedSamples`; by then its first answers are a small part of it.
///
/// Complexity: `observe` O(1) apart from remaking, which costs O(4,096 + long answers · log) and comes once in up to 50.
struct LengthWindow: Sendable {
    static let capacity = 10_000
    private static let priorSamples = 32.0
    private static let fadedSamples = 200
    private static let unbiasedSamples = 1000

    private(set) var survival: SurvivalFunction
    private var ring: [Int32] = []
    private var oldest = 0
    /// How many lengths of the window are n tokens, up to the exact part of a survival function.
    private var counts: [Int32] = []
    /// How many are longer than that.
    private var longCount = 0
    private var sum = 0
    private var newcomers = 0
    private var unfinished: [Int] = []

    init(prior: SurvivalFunction) {
        survival = prior
    }

    var count: Int { ring.count }

    /// The plain mean of the lengths; nil if there are none.
    var mean: Double? { ring.isEmpty ? nil : Double(sum) / Double(ring.count) }

    /// - Returns: whether the survival function was made anew.
    mutating func observe(_ tokens: Int) -> Bool {
        let length = Int32(clamping: max(tokens, 1))
        if ring.count < Self.capacity {
            ring.append(length)
        } else {
            add(-1, of: ring[oldest])
            ring[oldest] = length
            oldest = (oldest + 1) % Self.capacity
        }
        add(1, of: length)
        newcomers += 1
        // Also when the prior is gone, for from then on a bucket may speak for itself.
        let isFaded = ring.count == Self.fadedSamples
        guard isFaded || newcomers >= min(50, max(1, ring.count / 50)) else { return false }
        remake()
        return true
    }

    /// Replaces what is known of answers that have not ended; it counts from the next remaking on.
    mutating func observeUnfinished(_ tokens: [Int]) {
        unfinished = ring.count < Self.unbiasedSamples ? tokens : []
    }

    private mutating func add(_ change: Int, of length: Int32) {
        sum += change * Int(length)
        let index = Int(length)
        guard index <= SurvivalFunction.exactTokens else {
            longCount += change
            return
        }
        while counts.count <= index { counts.append(0) }
        counts[index] += Int32(change)
    }

    private mutating func remake() {
        newcomers = 0
        var sample: [WeightedLength] = []
        for (tokens, count) in counts.enumerated() where count > 0 {
            sample.append(WeightedLength(tokens: tokens, weight: Double(count)))
        }
        if longCount > 0 {
            let long = ring.filter { Int($0) > SurvivalFunction.exactTokens }.sorted()
            sample += long.map { WeightedLength(tokens: Int($0), weight: 1) }
        }
        if ring.count < Self.unbiasedSamples, !unfinished.isEmpty {
            sample = WeightedLength.correcting(sample, forUnfinished: unfinished)
        }
        let weight = Self.priorSamples * max(0, 1 - Double(ring.count) / Double(Self.fadedSamples))
        if weight > 0 {
            sample += WeightedLength.prior.map { WeightedLength(tokens: $0.tokens, weight: $0.weight * weight) }
            sample.sort { $0.tokens < $1.tokens }
        }
        survival = SurvivalFunction(ascending: sample)
    }
}
