package import ServingModel

/// N_mf over a moving window of arrivals: what a load that comes and goes needs from moment to moment.
///
/// The plain N_mf is about the mean rate; a fleet of fixed size must bear the peaks. The window should be about as long
/// as a query may wait or last: a few seconds for the TTFT, a minute for the fleet.
package struct WindowedCapacity: Sendable, Equatable {
    /// N_mf of each window, in order of time.
    package let workers: [Double]
    private let ascending: [Double]

    /// - Parameters:
    ///   - arrivals: in order of time.
    ///   - window: its length, positive.
    ///   - step: from one window's beginning to the next's, positive.
    package init(
        arrivals: [(time: Instant, size: QuerySize)],
        window: Interval,
        step: Interval,
        capacity: MeanFieldCapacity
    ) {
        precondition(window > .zero && step > .zero, "a window has a length")
        guard let first = arrivals.first?.time, let last = arrivals.last?.time else {
            workers = []
            ascending = []
            return
        }
        var result: [Double] = []
        var begin = first
        var entering = 0
        var leaving = 0
        var sum = 0.0
        var decodes = 0.0
        repeat {
            let end = begin + window
            while entering < arrivals.count, arrivals[entering].time < end {
                sum += capacity.work.seconds(of: arrivals[entering].size)
                decodes += Double(arrivals[entering].size.decodeTokens)
                entering += 1
            }
            while leaving < entering, arrivals[leaving].time < begin {
                sum -= capacity.work.seconds(of: arrivals[leaving].size)
                decodes -= Double(arrivals[leaving].size.decodeTokens)
                leaving += 1
            }
            let count = Double(entering - leaving)
            let perRate =
                count > 0
                ? capacity.workersPerRate(meanWork: max(sum, 0) / count, meanDecodes: max(decodes, 0) / count) : 0
            result.append(perRate * count / window.seconds)
            begin = begin + step
        } while begin + window <= last
        workers = result
        ascending = result.sorted()
    }

    /// The most that any window needs; 0 without arrivals.
    package var peak: Double { ascending.last ?? 0 }

    package var mean: Double { workers.isEmpty ? 0 : workers.reduce(0, +) / Double(workers.count) }

    /// What a share q of the windows does not exceed; 0 without arrivals.
    package func quantile(_ q: Double) -> Double {
        guard !ascending.isEmpty else { return 0 }
        let rank = Int((q * Double(ascending.count)).rounded(.up)) - 1
        return ascending[min(max(rank, 0), ascending.count - 1)]
    }
}
