/// Which queries of a trace are offered to a service, when, and how the load changes meanwhile.
///
/// The options of `simulate` and its kin, as given; `entries(from:seed:replicate:)` checks them. Times are in seconds
/// of the offered load, that is after scaling.
package struct ArrivalPlan: Hashable, Sendable {
    package enum Arrivals: Hashable, Sendable {
        /// The trace's own, stretched or squeezed to the rate.
        case trace
        /// Poisson; each query a random one of the trace.
        case poisson
        /// Poisson, at a rate that goes up and down as the trace's does from bin to bin, the whole trace in the
        /// duration; each query a random one of the trace's bin.
        case intensity(binSeconds: Double)
    }

    package var arrivals = Arrivals.trace
    /// Queries per second, of those left after the filters.
    package var rate: Double?
    /// Factor on the trace's own rate.
    package var rateScale: Double?
    /// How long queries are offered; nil: as long as the trace's last at the rate.
    ///
    /// A trace that is shorter starts again after its span.
    package var durationSeconds: Double?
    /// Where in the trace the load begins; the trace's own arrivals only.
    package var offsetSeconds = 0.0
    /// Longer prompts are left out.
    package var maxInputTokens: Int?
    /// Queries that need more than 0.9 of it are left out: they would never fit.
    package var kvCapacityTokens: Int?
    /// Drifts and bursts, on top of the rate.
    package var changes: [LoadChange] = []

    package init() {}

    /// How many queries a plan may offer.
    static let maxQueries = 10_000_000.0
    /// How many bins an intensity may have.
    static let maxBins = 1_000_000.0
    /// 31 years: far more than any trace, and its nanoseconds fit in 64 bits.
    static let maxSeconds = 1e9

    /// The queries that the filters keep.
    package func filtered(_ trace: Trace) -> Trace {
        guard maxInputTokens != nil || kvCapacityTokens != nil else { return trace }
        return Trace(entries: trace.entries.filter { !isTooLong($0) && canFit($0) })
    }

    /// Whether `--max-input-tokens` leaves the query out.
    package func isTooLong(_ entry: Trace.Entry) -> Bool {
        maxInputTokens.map { entry.inputTokens > $0 } ?? false
    }

    /// Whether the KV cache can ever hold the query.
    package func canFit(_ entry: Trace.Entry) -> Bool {
        kvCapacityTokens.map { entry.inputTokens + entry.outputTokens <= $0 / 10 * 9 + $0 % 10 * 9 / 10 } ?? true
    }
}
