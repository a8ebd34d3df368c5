/// The paper's fit: an affine form by ordinary least squares of the absolute errors, coefficients of either sign.
///
/// For comparison: long steps dominate, and a constant below 0 gives short steps a time below 0.
enum PlainFit {
    /// nil where the points don't determine the form.
    static func curve(_ form: LatencyForm, _ points: [MeasuredPoint]) -> LatencyCurve? {
        guard let terms = form.bases(for: points).first, points.count >= terms.count else { return nil }
        var equations = NormalEquations(columns: terms.count)
        for point in points {
            let row = terms.map { $0.value(at: point) }
            equations.add(row, from: 0, target: point.milliseconds, weight: 1)
        }
        return equations.solution().map { LatencyCurve(terms: terms, coefficients: $0, floor: -.infinity) }
    }
}
