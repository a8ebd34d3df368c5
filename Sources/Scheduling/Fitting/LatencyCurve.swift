/// A latency form with its coefficients: `max(floor, Σ coefficient·term)` milliseconds.
struct LatencyCurve: Hashable, Sendable {
    var terms: [LatencyTerm]
    /// One for each term, milliseconds, none negative unless the curve is the paper's plain form.
    var coefficients: [Double]
    /// 0 for none.
    var floor = 0.0

    func milliseconds(at point: MeasuredPoint) -> Double {
        max(floor, linear(at: point))
    }

    /// The sum without the floor.
    func linear(at point: MeasuredPoint) -> Double {
        var sum = 0.0
        for (term, coefficient) in zip(terms, coefficients) { sum += coefficient * term.value(at: point) }
        return sum
    }

    /// (predicted − measured) / measured.
    func relativeError(at point: MeasuredPoint) -> Double {
        (milliseconds(at: point) - point.milliseconds) / point.milliseconds
    }

    /// The coefficient of the first term that is among these; 0 if there is none.
    func coefficient(where isMeant: (LatencyTerm) -> Bool) -> Double {
        zip(terms, coefficients).first { isMeant($0.0) }?.1 ?? 0
    }
}
