internal import ServingModel

/// How the rate of a trace goes up and down, in bins of equal width, and which queries arrived in each.
struct IntensityProfile {
    /// The entries that arrived in each bin.
    private let bins: [Range<Int>]
    /// Entries of each bin, smoothed 1-2-1 over its neighbours; at the ends over the one that there is.
    let weights: [Double]

    /// - Precondition: The trace has a query, and `width` is positive.
    init(_ trace: Trace, width: Interval) {
        let entries = trace.entries
        // A rest of less than half a bin belongs to the last bin: a short one of its own would look like a lull.
        let ratio = Double(trace.span.nanoseconds) / Double(width.nanoseconds)
        let count = max(1, Int(ratio.rounded()))
        var bins: [Range<Int>] = []
        var lower = 0
        for bin in 0..<count {
            var upper = lower
            while upper < entries.count {
                let time = (entries[upper].arrival - entries[0].arrival).nanoseconds
                if bin < count - 1, time / width.nanoseconds > bin { break }
                upper += 1
            }
            bins.append(lower..<upper)
            lower = upper
        }
        self.bins = bins
        weights = bins.indices.map { bin in
            var sum = 2.0 * Double(bins[bin].count)
            var parts = 2.0
            for neighbour in [bin - 1, bin + 1] where bins.indices.contains(neighbour) {
                sum += Double(bins[neighbour].count)
                parts += 1
            }
            return sum / parts
        }
    }

    /// The profile stretched or compressed to `duration` with this mean rate per second.
    func curve(durationSeconds duration: Double, rate: Double) -> RateCurve {
        let width = duration / Double(weights.count)
        let factor = rate * Double(weights.count) / weights.reduce(0, +)
        var starts: [Double] = []
        var rates: [Double] = []
        for (bin, weight) in weights.enumerated() {
            starts.append(Double(bin) * width)
            rates.append(weight * factor)
        }
        return RateCurve(starts: starts, rates: rates)
    }

    /// A query of the bin in which `fraction` of the profile lies; of the nearest that has any, the earlier of two.
    func draw(atFraction fraction: Double, using generator: inout SeededGenerator) -> Int {
        let bin = min(bins.count - 1, max(0, Int(fraction * Double(bins.count))))
        for distance in bins.indices {
            for candidate in [bin - distance, bin + distance] where bins.indices.contains(candidate) {
                let entries = bins[candidate]
                if !entries.isEmpty { return entries.lowerBound + generator.index(below: entries.count) }
            }
        }
        return 0
    }
}
