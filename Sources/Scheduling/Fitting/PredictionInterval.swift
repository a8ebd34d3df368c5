/// How far a single step may lie from its prediction: `t̂ ± t_{n−p,1−α/2} · s · √(1 + xᵀ(XᵀX)⁻¹x)`, all of it relative.
///
/// X holds the terms' values divided by the times, s is the deviation of the relative errors, so the half-width is a
/// share of the predicted time. It covers scatter and the uncertainty of the coefficients, not a form that is wrong
/// outside the measured range.
package struct PredictionInterval: Hashable, Sendable {
    private var curve: LatencyCurve
    /// Terms that carry a coefficient, in the order of `factor`.
    private var terms: [LatencyTerm]
    private var factor: [Double]
    private var scales: [Double]
    /// s: standard deviation of the relative errors.
    private(set) package var deviation: Double
    /// n − p.
    private(set) package var degreesOfFreedom: Int

    init(curve: LatencyCurve, parameters: Int, points: [MeasuredPoint]) {
        self.curve = curve
        degreesOfFreedom = max(points.count - parameters, 1)
        let squares = points.reduce(0.0) { sum, point in
            let error = curve.relativeError(at: point)
            return sum + error * error
        }
        deviation = (squares / Double(degreesOfFreedom)).squareRoot()
        let used = zip(curve.terms, curve.coefficients).filter { $0.1 > 0 }.map(\.0)
        let sloping = points.filter { curve.linear(at: $0) >= curve.floor }
        let design = RelativeDesign(terms: used, points: sloping)
        var equations = NormalEquations(columns: used.count)
        for row in sloping.indices { design.add(row: row, weight: 1, to: &equations) }
        let decomposition = equations.factor()
        terms = decomposition == nil ? [] : used
        factor = decomposition?.factor ?? []
        scales = decomposition?.scales ?? []
    }

    /// The half-width for a prefill, as a share of the predicted time.
    package func relativeHalfWidth(prefillBatch batch: Int, tokens: Int, confidence: Double = 0.95) -> Double {
        halfWidth(MeasuredPoint(batch: Double(batch), tokens: Double(tokens), milliseconds: 0), confidence)
    }

    /// The half-width for a decode, as a share of the predicted time.
    package func relativeHalfWidth(decodeBatch batch: Int, contextTokens: Int, confidence: Double = 0.95) -> Double {
        halfWidth(MeasuredPoint(batch: Double(batch), tokens: Double(contextTokens), milliseconds: 0), confidence)
    }

    func halfWidth(_ point: MeasuredPoint, _ confidence: Double) -> Double {
        let quantile = StudentDistribution.centralQuantile(confidence, degrees: degreesOfFreedom)
        return quantile * deviation * (1 + leverage(point)).squareRoot()
    }

    /// `xᵀ(XᵀX)⁻¹x`; 0 on the floor, whose one number the many short steps fix well.
    private func leverage(_ point: MeasuredPoint) -> Double {
        let predicted = curve.milliseconds(at: point)
        guard !terms.isEmpty, predicted > curve.floor else { return 0 }
        let row = zip(terms, scales).map { $0.value(at: point) / predicted * $1 }
        return CholeskyFactor.forward(factor, row, size: terms.count).reduce(0) { $0 + $1 * $1 }
    }
}
