/// The terms' values at every point, each divided by the time measured there: the target of every row is then 1.
///
/// Kept as one array and walked by index: a fit with a knee goes over all points hundreds of times.
struct RelativeDesign {
    let terms: [LatencyTerm]
    private var matrix: [Double] = []
    /// 1 over the measured milliseconds of every point.
    private var inverses: [Double] = []

    var columns: Int { terms.count }

    init(terms: [LatencyTerm], points: [MeasuredPoint]) {
        self.terms = terms
        matrix.reserveCapacity(points.count * terms.count)
        inverses.reserveCapacity(points.count)
        for point in points {
            inverses.append(1 / point.milliseconds)
            for term in terms { matrix.append(term.value(at: point) / point.milliseconds) }
        }
    }

    func add(row: Int, weight: Double, to equations: inout NormalEquations) {
        equations.add(matrix, from: row * columns, target: 1, weight: weight)
    }

    /// |predicted − measured| / measured at every point.
    func errors(of curve: LatencyCurve) -> [Double] {
        var errors = inverses
        let count = columns
        var place = 0
        for row in 0..<inverses.count {
            var share = 0.0
            for column in 0..<count {
                share += curve.coefficients[column] * matrix[place]
                place += 1
            }
            errors[row] = abs(max(share, curve.floor * inverses[row]) - 1)
        }
        return errors
    }
}
