/// Fits one form to points so that relative errors are small, and no single point decides.
///
/// Least squares of relative errors with coefficients of at least 0, for every place of the knee, share of experts and
/// end of the floor; the few best of them are then refitted with Huber's weights, so that a point far off counts for
/// its distance and not for its square. Source: the models are the paper's, extended.
struct RelativeFit {
    private let form: LatencyForm
    /// Most tokens first.
    private let points: [MeasuredPoint]

    /// How many structures are refitted robustly.
    private static let finalists = 4
    private static let reweightings = 10
    /// In standard deviations, where Huber's loss turns linear.
    ///
    /// Points are medians already, so only gross outliers are to be held down; the usual 1.345 would also take weight from
    /// honest points of a form that is a little wrong.
    private static let huber = 2.5

    init(_ form: LatencyForm, _ points: [MeasuredPoint]) {
        self.form = form
        self.points = points.sorted { ($0.tokens, $0.batch) > ($1.tokens, $1.batch) }
    }

    /// The best curve of the form; nil if these points don't suffice for it.
    func curve() -> LatencyCurve? {
        guard points.count >= form.parameters else { return nil }
        var best: [Candidate] = []
        for terms in form.bases(for: points) {
            let design = RelativeDesign(terms: terms, points: points)
            for candidate in candidates(design) {
                let place = best.firstIndex { candidate.loss < $0.loss } ?? best.count
                guard place < Self.finalists else { continue }
                best.insert(candidate, at: place)
                if best.count > Self.finalists { best.removeLast() }
            }
        }
        let refitted = best.map { refit($0) }
        return refitted.min { $0.loss < $1.loss }?.curve
    }

    private struct Candidate {
        var curve: LatencyCurve
        /// How many points, most tokens first, lie on the slope; the others on the floor.
        var sloping: Int
        /// Mean |relative error|.
        var loss: Double
    }

    /// One candidate for each end of the floor; a single one for a form without floor.
    private func candidates(_ design: RelativeDesign) -> [Candidate] {
        let weights = [Double](repeating: 1, count: points.count)
        let ends = form.hasFloor ? floorEnds() : [points.count]
        var result: [Candidate] = []
        var equations = NormalEquations(columns: design.columns)
        var added = 0
        for end in ends {
            while added < end {
                design.add(row: added, weight: 1, to: &equations)
                added += 1
            }
            var curve = LatencyCurve(terms: design.terms, coefficients: equations.nonNegativeSolution())
            if end < points.count { curve.floor = floor(from: end, weights) }
            result.append(Candidate(curve: curve, sloping: end, loss: loss(design.errors(of: curve))))
        }
        return result
    }

    /// Counts of sloping points at which a floor may begin, ascending: between distinct token counts, in the lower half.
    private func floorEnds() -> [Int] {
        let boundaries = (1..<points.count).filter {
            points[$0].tokens < points[$0 - 1].tokens && $0 >= max(form.parameters - 1, points.count / 2)
        }
        let most = 16
        guard boundaries.count > most else { return boundaries }
        return (0..<most).map { boundaries[$0 * (boundaries.count - 1) / (most - 1)] }
    }

    /// The constant with the least squared relative error over the points from `start`.
    private func floor(from start: Int, _ weights: [Double]) -> Double {
        var inverse = 0.0
        var inverseSquares = 0.0
        for index in start..<points.count {
            inverse += weights[index] / points[index].milliseconds
            inverseSquares += weights[index] / (points[index].milliseconds * points[index].milliseconds)
        }
        return inverseSquares > 0 ? inverse / inverseSquares : 0
    }

    private func loss(_ errors: [Double]) -> Double {
        var sum = 0.0
        for error in errors { sum += error }
        return sum / Double(errors.count)
    }

    /// Keeps the structure and turns to Huber's loss; keeps the candidate where that does not help.
    private func refit(_ candidate: Candidate) -> Candidate {
        let design = RelativeDesign(terms: candidate.curve.terms, points: points)
        var best = candidate
        var curve = candidate.curve
        var errors = design.errors(of: curve)
        for _ in 0..<Self.reweightings {
            let deviation = max(MeasuredPoint.median(ascending: errors.sorted()) * 1.4826, 1e-9)
            let weights = errors.map { $0 <= Self.huber * deviation ? 1 : Self.huber * deviation / $0 }
            var equations = NormalEquations(columns: design.columns)
            for row in 0..<candidate.sloping { design.add(row: row, weight: weights[row], to: &equations) }
            curve.coefficients = equations.nonNegativeSolution()
            if candidate.sloping < points.count { curve.floor = floor(from: candidate.sloping, weights) }
            errors = design.errors(of: curve)
            let loss = loss(errors)
            if loss < best.loss { best = Candidate(curve: curve, sloping: candidate.sloping, loss: loss) }
        }
        return best
    }
}
