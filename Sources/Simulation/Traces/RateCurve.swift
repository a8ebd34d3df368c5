/// A rate over time that is constant between steps, with its integral and the inverse of that.
///
/// Arrivals of any such rate are arrivals of rate 1 with the time bent: one at time u of those arrives when the
/// integral reaches u (Çinlar 1975, inversion).
struct RateCurve {
    /// When each step begins, in seconds; the first at 0, the last without end.
    private let starts: [Double]
    private let rates: [Double]
    /// The integral up to each start.
    private let integrals: [Double]

    /// - Precondition: `starts` ascend from 0, and no rate is negative.
    init(starts: [Double], rates: [Double]) {
        precondition(starts.first == 0 && starts.count == rates.count)
        self.starts = starts
        self.rates = rates
        var integrals = [0.0]
        for index in starts.indices.dropFirst() {
            integrals.append(integrals[index - 1] + (starts[index] - starts[index - 1]) * rates[index - 1])
        }
        self.integrals = integrals
    }

    init(constant rate: Double) {
        self.init(starts: [0], rates: [rate])
    }

    /// The rate factors of `changes`, multiplied where they overlap.
    init(changes: [LoadChange]) {
        let boundaries = changes.flatMap { [$0.fromSeconds] + ($0.untilSeconds.map { [$0] } ?? []) }.filter { $0 > 0 }
        var starts = [0.0]
        for boundary in boundaries.sorted() where boundary > starts[starts.count - 1] { starts.append(boundary) }
        let rates = starts.map { start in
            changes.reduce(1.0) { $1.applies(atSeconds: start) ? $0 * $1.rate : $0 }
        }
        self.init(starts: starts, rates: rates)
    }

    private func step(_ values: [Double], upTo value: Double) -> Int {
        var low = 0
        var high = values.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if values[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }

    func integral(toSeconds time: Double) -> Double {
        let index = step(starts, upTo: time)
        return integrals[index] + (time - starts[index]) * rates[index]
    }

    /// When the integral reaches `value`; infinite if never.
    func seconds(whenIntegralIs value: Double) -> Double {
        let index = step(integrals, upTo: value)
        return rates[index] > 0 ? starts[index] + (value - integrals[index]) / rates[index] : .infinity
    }

    static func * (left: RateCurve, right: RateCurve) -> RateCurve {
        var starts: [Double] = []
        for start in (left.starts + right.starts).sorted() where starts.last != start { starts.append(start) }
        let rates = starts.map { start in
            left.rates[left.step(left.starts, upTo: start)] * right.rates[right.step(right.starts, upTo: start)]
        }
        return RateCurve(starts: starts, rates: rates)
    }
}
