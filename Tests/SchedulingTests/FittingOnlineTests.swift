import Scheduling
import ServingModel
import Testing

@Suite("Noticing drift")
struct FittingOnlineTests {
    /// Errors of a usual worker: zero on average, 3 % either way.
    private func error(_ generator: inout SeededGenerator) -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) } * 0.03
    }

    @Test("Noise raises no alarm", arguments: 1...4)
    func quiet(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var alarm = DriftAlarm()
        #expect(alarm.state == .learning)
        for _ in 0..<50_000 { alarm.observe(error(&generator)) }
        #expect(alarm.state == .quiet)
    }

    @Test("A lasting shift raises one within few steps, and says which way", arguments: [0.1, -0.1])
    func shift(by shift: Double) throws {
        var generator = SeededGenerator(seed: 2)
        var alarm = DriftAlarm()
        for _ in 0..<1000 { alarm.observe(error(&generator)) }
        #expect(alarm.state == .quiet)
        var steps = 0
        while !alarm.isRaised, steps < 1000 {
            alarm.observe(error(&generator) + shift)
            steps += 1
        }
        #expect(steps <= 20)
        #expect(alarm.state == (shift > 0 ? .faster : .slower))
    }

    @Test("An alarm stays until it is reset, which learns anew what is usual")
    func reset() {
        var alarm = DriftAlarm(learningSteps: 2)
        for value in [0.0, 0.01] + [Double](repeating: 0.5, count: 20) { alarm.observe(value) }
        #expect(alarm.state == .faster)
        for _ in 0..<100 { alarm.observe(0) }
        #expect(alarm.state == .faster)
        alarm.reset()
        #expect(alarm.state == .learning)
        for _ in 0..<100 { alarm.observe(0.02) }
        #expect(alarm.state == .quiet)
    }

    @Test("Single hiccups, however long, and values that are no numbers are no drift")
    func hiccups() {
        var generator = SeededGenerator(seed: 4)
        var alarm = DriftAlarm()
        for step in 0..<5000 { alarm.observe(step % 50 == 49 ? -0.95 : error(&generator)) }
        alarm.observe(.nan)
        alarm.observe(-.infinity)
        #expect(alarm.state == .quiet)
    }

    @Test("A model that was wrong from the first step is drift too")
    func wrongFromTheStart() {
        var alarm = DriftAlarm()
        for _ in 0..<200 { alarm.observe(-0.4) }
        #expect(alarm.state == .slower)
    }

    @Test("A worker's scale finds how much slower it is, and one bad step does not throw it off")
    func scale() {
        var generator = SeededGenerator(seed: 6)
        var scale = WorkerScale()
        #expect(scale.factor == 1)
        let predicted = Interval.milliseconds(40)
        for _ in 0..<400 {
            let noise = 1 + Double.random(in: -0.05...0.05, using: &generator)
            scale.observe(predicted: predicted, actual: .seconds(rounding: 0.040 * 1.25 * noise))
        }
        #expect(abs(scale.factor - 1.25) < 0.02)
        #expect(abs(scale.scaled(predicted).milliseconds - 50) < 1)
        scale.observe(predicted: predicted, actual: .seconds(3600))
        #expect(scale.factor < 1.32)
        scale.observe(predicted: .zero, actual: predicted)
        scale.observe(predicted: predicted, actual: .zero)
        #expect(scale.steps == 401)
        scale.reset()
        #expect(scale.scaled(predicted) == predicted)
    }

    @Test("An estimator that forgets predicts as on its first step")
    func forget() {
        var registered = LatencyProfile(model: "m", device: "d")
        registered.decode.c3Milliseconds = 20
        var estimator = StepTimeEstimator(registered: registered)
        let fresh = estimator.profile
        let step = StepWorkload(kind: .decode, decodeSequences: 4, contextTokens: 100)
        for _ in 0..<50 { estimator.observe(step, took: .milliseconds(60)) }
        #expect(estimator.predict(step).milliseconds > 50)
        estimator.forget()
        #expect(estimator.profile == fresh)
        #expect(estimator.steps == 0)
        #expect(estimator.errors == ErrorAverage())
    }

    @Test("An estimator keeps knees, experts and the floor of the registered profile apart from what it learns")
    func nonlinearTerms() {
        var truth = LatencyProfile(model: "m", device: "d")
        truth.prefill.c0Milliseconds = 30
        truth.prefill.c1Milliseconds = 10
        truth.prefill.k1Milliseconds = 0.1
        truth.prefill.kneeTokens = 600
        truth.prefill.k1AboveKneeMilliseconds = -0.05
        truth.decode.c3Milliseconds = 10
        truth.decode.k2Milliseconds = 0.0005
        truth.decode.c2Milliseconds = 0.1
        truth.decode.kneeSequences = 16
        truth.decode.c2AboveKneeMilliseconds = 0.3
        truth.decode.expertMilliseconds = 25
        truth.decode.expertShare = 8.0 / 128
        var estimator = StepTimeEstimator(registered: truth)
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<3000 {
            let sequences = Int.random(in: 1...64, using: &generator)
            let tokens = Int.random(in: 16...2048, using: &generator)
            let steps = [
                StepWorkload(kind: .decode, decodeSequences: sequences, contextTokens: sequences * tokens),
                StepWorkload(kind: .prefill, prefillTokens: tokens, prefillSquares: tokens * tokens),
            ]
            for step in steps { estimator.observe(step, took: truth.duration(of: step)) }
        }
        #expect(estimator.errors.magnitude < 1e-6)
        #expect(abs(estimator.profile.decode.c3Milliseconds - 10) < 1e-3)
        #expect(abs(estimator.profile.prefill.c1Milliseconds - 10) < 1e-3)
    }
}
