internal import ServingModel

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// What a trace looks like in numbers: its rate, its burstiness, its lengths.
package struct TraceStatistics: Hashable, Sendable {
    package struct Lengths: Hashable, Sendable {
        package var mean: Double
        package var median: Int
        package var p99: Int
        package var max: Int
    }

    package var queries: Int
    /// Conversations; queries without one do not count.
    package var sessions: Int
    package var spanSeconds: Double
    /// Queries over span, per second.
    package var rate: Double
    /// Standard deviation over mean of the inter-arrival times: 1 for Poisson arrivals; nil without two distinct times.
    package var interArrivalVariation: Double?
    /// Variance over mean of the queries in windows of 1, 10 and 60 s: 1 for Poisson arrivals; nil for fewer than 5
    /// windows.
    package var dispersion: (oneSecond: Double?, tenSeconds: Double?, minute: Double?) {
        (dispersions[0], dispersions[1], dispersions[2])
    }
    private var dispersions: [Double?]
    package var input: Lengths
    package var output: Lengths

    /// nil for a trace without queries.
    package init?(_ trace: Trace) {
        guard let input = Self.lengths(trace.entries.map(\.inputTokens)),
            let output = Self.lengths(trace.entries.map(\.outputTokens))
        else { return nil }
        self.input = input
        self.output = output
        queries = trace.entries.count
        sessions = Set(trace.entries.lazy.compactMap(\.session)).count
        spanSeconds = trace.span.seconds
        rate = trace.rate
        interArrivalVariation = Self.interArrivalVariation(trace)
        dispersions = [1, 10, 60].map { Self.dispersion(trace, window: .seconds($0)) }
    }

    /// Percentiles by the nearest rank.
    private static func lengths(_ tokens: [Int]) -> Lengths? {
        let sorted = tokens.sorted()
        guard let longest = sorted.last else { return nil }
        func percentile(_ percent: Int) -> Int { sorted[max(0, (sorted.count * percent + 99) / 100 - 1)] }
        return Lengths(
            mean: Double(sorted.reduce(0, +)) / Double(sorted.count),
            median: percentile(50),
            p99: percentile(99),
            max: longest
        )
    }

    private static func interArrivalVariation(_ trace: Trace) -> Double? {
        guard trace.span > .zero else { return nil }
        let gaps = zip(trace.entries.dropFirst(), trace.entries).map { ($0.arrival - $1.arrival).seconds }
        let mean = trace.span.seconds / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        return sqrt(variance) / mean
    }

    /// Over the complete windows from the first arrival on.
    private static func dispersion(_ trace: Trace, window: Interval) -> Double? {
        let count = trace.span.nanoseconds / window.nanoseconds
        guard count >= 5, count <= 100_000_000, let first = trace.entries.first?.arrival else { return nil }
        var counts = [Int](repeating: 0, count: Int(count))
        for entry in trace.entries {
            let index = (entry.arrival - first).nanoseconds / window.nanoseconds
            if index < count { counts[Int(index)] += 1 }
        }
        let mean = Double(counts.reduce(0, +)) / Double(count)
        guard mean > 0 else { return nil }
        let variance = counts.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(count)
        return variance / mean
    }
}
