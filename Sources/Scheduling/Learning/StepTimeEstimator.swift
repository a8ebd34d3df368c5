package import ServingModel

/// One worker's latency model, learnt online from the steps it reports.
///
/// A step's time is linear in six coefficients: `c1 + k1·S + k1q·Q` for a prefill, `c3 + k2·C + c2·b` for a decode, and
/// `c3 + k1·X + k1q·Y + k2·C + c2·b` for a mixed step. Recursive least squares on relative errors (every row is divided
/// by the time it took, so a fast step counts as much as a slow one) with exponential forgetting, starting from the
/// profile that the worker registered with. What is not linear in them (slopes beyond a knee, experts) stays as
/// registered and is taken off a step's time before it is learnt from; a step on the registered floor says nothing of
/// them and is only compared.
///
/// When a drift alarm says that steps have changed for good, the filter opens up again and follows quickly.
///
/// Complexity: O(1) per step, 6 × 6 arithmetic.
package struct StepTimeEstimator: Sendable {
    /// Weight of a step against the next one: about the last 1,000 steps matter.
    private static let forgetting = 0.999
    /// How far the prior may be from the truth, as a share of each coefficient's typical contribution.
    private static let priorDeviation = 1.0

    private let registered: LatencyProfile
    /// The registered profile with the coefficients as they stand, none of them negative.
    private(set) package var profile: LatencyProfile
    private var filter: RecursiveLeastSquares
    private(set) package var errors = ErrorAverage()
    private(set) package var steps: UInt64 = 0
    /// How often a lasting change of its steps was noticed.
    private(set) package var drifts = 0
    private var alarm = DriftAlarm()

    package init(registered: LatencyProfile) {
        self.registered = registered
        profile = registered
        let decode = registered.decode
        filter = Self.filter(from: Self.coefficients(of: registered), decode.c3Milliseconds)
    }

    /// A filter that knows no more than these coefficients and how far such may be off.
    private static func filter(from coefficients: [Double], _ c3Milliseconds: Double) -> RecursiveLeastSquares {
        // A coefficient of which nothing is known may still be worth something: a typical step of 1 ms is the scale.
        let typical = [1, 1, 1e-3, 1e-7, 1e-4, 1e-1].map { $0 * max(c3Milliseconds, 1) * 0.1 }
        let deviations = zip(coefficients, typical).map { max($0, $1) * Self.priorDeviation }
        return RecursiveLeastSquares(coefficients: coefficients, deviations: deviations, forgetting: Self.forgetting)
    }

    /// Compares a step with its prediction and learns from it.
    package mutating func observe(_ workload: StepWorkload, took duration: Interval) {
        let actual = duration.milliseconds
        guard actual > 0 else { return }
        let error = (predict(workload).milliseconds - actual) / actual
        errors.add(error)
        steps += 1
        alarm.observe(error)
        if alarm.isRaised {
            drifts += 1
            alarm.reset()
            filter = Self.filter(from: filter.coefficients.map { max($0, 0) }, registered.decode.c3Milliseconds)
        }
        if !isOnFloor(workload) {
            let row = Self.row(of: workload)
            let target = 1 - nonlinearMilliseconds(of: workload, row) / actual
            filter.update(row: row / actual, target: target)
        }
        updateProfile()
    }

    /// Goes back to the registered profile, as if no step had been seen.
    package mutating func forget() {
        self = StepTimeEstimator(registered: registered)
    }

    package func predict(_ workload: StepWorkload) -> Interval {
        profile.duration(of: workload)
    }

    private mutating func updateProfile() {
        let learnt = filter.coefficientVector
        profile.prefill.c1Milliseconds = max(learnt[0], 0)
        profile.decode.c3Milliseconds = max(learnt[1], 0)
        profile.prefill.k1Milliseconds = max(learnt[2], 0)
        profile.prefill.k1qMilliseconds = max(learnt[3], 0)
        profile.decode.k2Milliseconds = max(learnt[4], 0)
        profile.decode.c2Milliseconds = max(learnt[5], 0)
    }

    /// The registered profile's time for a step beyond its linear part; exactly 0 for a profile without such terms.
    private func nonlinearMilliseconds(of workload: StepWorkload, _ row: SIMD8<Double>) -> Double {
        let hasKnee = registered.prefill.kneeTokens > 0 || registered.decode.kneeSequences > 0
        guard hasKnee || registered.decode.expertMilliseconds > 0 else { return 0 }
        var whole = registered
        whole.prefill.c0Milliseconds = 0
        whole.mixedConstantMilliseconds = nil
        var linear = 0.0
        for (index, coefficient) in Self.coefficients(of: registered).enumerated() { linear += row[index] * coefficient }
        return whole.seconds(of: workload) * 1000 - linear
    }

    private func isOnFloor(_ workload: StepWorkload) -> Bool {
        guard registered.prefill.c0Milliseconds > 0, workload.kind != .decode else { return false }
        var sloping = registered
        sloping.prefill.c0Milliseconds = 0
        return sloping.seconds(of: workload) < registered.seconds(of: workload)
    }

    private static func coefficients(of profile: LatencyProfile) -> [Double] {
        [
            profile.prefill.c1Milliseconds, profile.decode.c3Milliseconds, profile.prefill.k1Milliseconds,
            profile.prefill.k1qMilliseconds, profile.decode.k2Milliseconds, profile.decode.c2Milliseconds,
        ]
    }

    private static func row(of workload: StepWorkload) -> SIMD8<Double> {
        let isPrefill = workload.kind == .prefill
        return SIMD8(
            isPrefill ? 1 : 0,
            isPrefill ? 0 : 1,
            Double(workload.prefillTokens),
            Double(workload.prefillSquares),
            Double(workload.contextTokens),
            Double(workload.decodeSequences),
            0,
            0
        )
    }
}
