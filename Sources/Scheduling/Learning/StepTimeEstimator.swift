package import ServingModel

/// One worker's latency model, learnt online from the steps it reports.
///
/// A step's time is linear in six coefficients: `c1 + k1·S + k1q·Q` for a prefill, `c3 + k2·C + c2·b` for a decode, and
/// `c3 + k1·X + k1q·Y + k2·C + c2·b` for a mixed step. Recursive least squares on relative errors (every row is divided
/// by the time it took, so a fast step counts as much as a slow one) with exponential forgetting, starting from the
/// profile that the worker registered with.
///
/// Complexity: O(1) per step, 6 × 6 arithmetic.
package struct StepTimeEstimator: Sendable {
    /// Weight of a step against the next one: about the last 1,000 steps matter.
    private static let forgetting = 0.999
    /// How far the prior may be from the truth, as a share of each coefficient's typical contribution.
    private static let priorDeviation = 1.0

    private let registered: LatencyProfile
    private var filter: RecursiveLeastSquares
    private(set) package var errors = ErrorAverage()
    private(set) package var steps: UInt64 = 0

    package init(registered: LatencyProfile) {
        self.registered = registered
        let prefill = registered.prefill
        let decode = registered.decode
        let coefficients = [
            prefill.c1Milliseconds, decode.c3Milliseconds, prefill.k1Milliseconds,
            prefill.k1qMilliseconds, decode.k2Milliseconds, decode.c2Milliseconds,
        ]
        // A coefficient of which nothing is known may still be worth something: a typical step of 1 ms is the scale.
        let typical = [1, 1, 1e-3, 1e-7, 1e-4, 1e-1].map { $0 * max(decode.c3Milliseconds, 1) * 0.1 }
        let deviations = zip(coefficients, typical).map { max($0, $1) * Self.priorDeviation }
        filter = RecursiveLeastSquares(coefficients: coefficients, deviations: deviations, forgetting: Self.forgetting)
    }

    /// Compares a step with its prediction and learns from it.
    package mutating func observe(_ workload: StepWorkload, took duration: Interval) {
        let actual = duration.milliseconds
        guard actual > 0 else { return }
        errors.add((predict(workload).milliseconds - actual) / actual)
        steps += 1
        filter.update(row: Self.row(of: workload).map { $0 / actual }, target: 1)
    }

    package func predict(_ workload: StepWorkload) -> Interval {
        profile.duration(of: workload)
    }

    /// The registered profile with the coefficients as they stand, none of them negative.
    package var profile: LatencyProfile {
        var profile = registered
        guard steps > 0 else { return profile }
        let learnt = filter.coefficients.map { max($0, 0) }
        profile.prefill.c1Milliseconds = learnt[0]
        profile.decode.c3Milliseconds = learnt[1]
        profile.prefill.k1Milliseconds = learnt[2]
        profile.prefill.k1qMilliseconds = learnt[3]
        profile.decode.k2Milliseconds = learnt[4]
        profile.decode.c2Milliseconds = learnt[5]
        return profile
    }

    private static func row(of workload: StepWorkload) -> [Double] {
        let isPrefill = workload.kind == .prefill
        return [
            isPrefill ? 1 : 0,
            isPrefill ? 0 : 1,
            Double(workload.prefillTokens),
            Double(workload.prefillSquares),
            Double(workload.contextTokens),
            Double(workload.decodeSequences),
        ]
    }
}
