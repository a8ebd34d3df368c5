internal import ServingModel

/// Errors on points that a fit has not seen: 10 folds, or one point at a time where there are few.
///
/// Repetitions of a point never stand on both sides: points are their medians.
struct CrossValidation {
    private let points: [MeasuredPoint]
    /// The fold of each point.
    private let folds: [Int]
    private let count: Int

    private static let folds = 10
    /// Up to so many points, each is a fold.
    private static let fewPoints = 30

    init(_ points: [MeasuredPoint], seed: UInt64) {
        self.points = points
        count = points.count <= Self.fewPoints ? points.count : Self.folds
        var generator = SeededGenerator(seed: seed)
        let shuffled = Array(points.indices).shuffled(using: &generator)
        var folds = [Int](repeating: 0, count: points.count)
        for (place, index) in shuffled.enumerated() { folds[index] = place % count }
        self.folds = folds
    }

    /// The relative error at each point by a fit of the others; nil if a fold can't be fitted.
    func errors(_ fit: ([MeasuredPoint]) -> LatencyCurve?) -> [Double]? {
        var errors = [Double](repeating: 0, count: points.count)
        for fold in 0..<count {
            let training = points.indices.filter { folds[$0] != fold }.map { points[$0] }
            guard let curve = fit(training) else { return nil }
            for index in points.indices where folds[index] == fold {
                errors[index] = curve.relativeError(at: points[index])
            }
        }
        return errors
    }
}
