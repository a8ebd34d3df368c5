/// From one instant on, for ever or for a while, more or fewer queries arrive, or longer or shorter ones.
package struct LoadChange: Hashable, Sendable {
    package var fromSeconds: Double
    /// nil: for ever.
    package var untilSeconds: Double?
    /// Factor on the rate.
    package var rate: Double
    /// Factor on prompt and answer lengths.
    package var lengths: Double

    package init(fromSeconds: Double, untilSeconds: Double? = nil, rate: Double = 1, lengths: Double = 1) {
        self.fromSeconds = fromSeconds
        self.untilSeconds = untilSeconds
        self.rate = rate
        self.lengths = lengths
    }

    /// A drift: from then on other lengths, or another rate.
    package static func drift(fromSeconds: Double, lengths: Double = 1, rate: Double = 1) -> LoadChange {
        LoadChange(fromSeconds: fromSeconds, untilSeconds: nil, rate: rate, lengths: lengths)
    }

    /// A burst: for a while another rate.
    package static func burst(fromSeconds: Double, lastingSeconds: Double, rate: Double) -> LoadChange {
        LoadChange(fromSeconds: fromSeconds, untilSeconds: fromSeconds + lastingSeconds, rate: rate, lengths: 1)
    }

    func applies(atSeconds time: Double) -> Bool {
        time >= fromSeconds && untilSeconds.map { time < $0 } ?? true
    }

    func lengthened(_ tokens: Int) -> Int {
        let count = (Double(tokens) * lengths).rounded()
        return Int(min(max(count, 1), Double(Trace.tokenCounts.upperBound)))
    }
}
