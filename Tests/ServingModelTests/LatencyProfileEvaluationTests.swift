import ServingModel
import Testing

@Suite("Evaluating a latency profile")
struct LatencyProfileEvaluationTests {
    /// Milliseconds that can be added in the head.
    private var profile: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.c0Milliseconds = 35
        profile.prefill.c1Milliseconds = 8
        profile.prefill.k1Milliseconds = 0.2
        profile.prefill.k1qMilliseconds = 0.001
        profile.decode.c3Milliseconds = 25
        profile.decode.k2Milliseconds = 0.01
        profile.decode.c2Milliseconds = 0.15
        return profile
    }

    private func milliseconds(_ profile: LatencyProfile, _ workload: StepWorkload) -> Double {
        Double(profile.duration(of: workload).nanoseconds) / 1e6
    }

    private func prefill(_ tokens: Int, squares: Int) -> StepWorkload {
        StepWorkload(kind: .prefill, prefillTokens: tokens, prefillSquares: squares)
    }

    @Test("A prefill is linear and quadratic in its tokens, and never below its floor")
    func prefills() {
        #expect(milliseconds(profile, prefill(100, squares: 10_000)) == 38)
        #expect(milliseconds(profile, prefill(100, squares: 5000)) == 35)
    }

    @Test("A decode counts contexts and sequences, and has no floor")
    func decodes() {
        let workload = StepWorkload(kind: .decode, decodeSequences: 10, contextTokens: 2000)
        #expect(milliseconds(profile, workload) == 46.5)
        #expect(milliseconds(profile, StepWorkload(kind: .decode)) == 25)
    }

    @Test("A mixed step has its own constant, or else the decode's")
    func mixed() {
        var profile = profile
        let workload = StepWorkload(
            kind: .mixed,
            prefillTokens: 50,
            prefillSquares: 1000,
            decodeSequences: 10,
            contextTokens: 2000
        )
        // 25 + 10 + 1 + 20 + 1.5
        #expect(milliseconds(profile, workload) == 57.5)
        profile.mixedConstantMilliseconds = 30
        #expect(milliseconds(profile, workload) == 62.5)
        profile.prefill.c0Milliseconds = 90
        #expect(milliseconds(profile, workload) == 90)
    }

    @Test("Beyond a knee the added slope counts, before the floor is applied")
    func knees() {
        var profile = profile
        profile.prefill.kneeTokens = 200
        profile.prefill.k1AboveKneeMilliseconds = -0.1
        profile.decode.kneeSequences = 8
        profile.decode.c2AboveKneeMilliseconds = 0.5
        #expect(milliseconds(profile, prefill(200, squares: 0)) == 48)
        #expect(milliseconds(profile, prefill(300, squares: 0)) == 58)
        #expect(milliseconds(profile, StepWorkload(kind: .decode, decodeSequences: 8)) == 26.2)
        #expect(milliseconds(profile, StepWorkload(kind: .decode, decodeSequences: 10)) == 27.5)
        let mixed = StepWorkload(kind: .mixed, prefillTokens: 300, decodeSequences: 10)
        // 25 + 60 + 1.5 − 10 + 1
        #expect(milliseconds(profile, mixed) == 77.5)
    }

    @Test("A slope above the knee without a knee does not count")
    func noKnee() {
        var profile = profile
        profile.prefill.k1AboveKneeMilliseconds = 5
        profile.decode.c2AboveKneeMilliseconds = 5
        #expect(milliseconds(profile, prefill(300, squares: 0)) == 68)
        #expect(milliseconds(profile, StepWorkload(kind: .decode, decodeSequences: 10)) == 26.5)
    }

    @Test("Experts count as many as the step's tokens need, last in the sum")
    func experts() {
        var profile = profile
        let dense = StepWorkload(kind: .decode, decodeSequences: 10, contextTokens: 2000)
        let before = profile.seconds(of: dense)
        profile.decode.expertMilliseconds = 8
        // Without a share there are no experts, whatever they cost.
        #expect(profile.seconds(of: dense) == before)
        profile.decode.expertShare = 0.5
        // 25 + 0 + 0.15·b + 8·(1 − 0.5^b)
        #expect(milliseconds(profile, StepWorkload(kind: .decode)) == 25)
        #expect(milliseconds(profile, StepWorkload(kind: .decode, decodeSequences: 1)) == 29.15)
        #expect(milliseconds(profile, StepWorkload(kind: .decode, decodeSequences: 3)) == 32.45)
        #expect(profile.seconds(of: dense) == before + 0.008 * (1 - 1.0 / 1024))
        // Tokens of prompts need experts as well; a prefill has them in its constant.
        let mixed = StepWorkload(kind: .mixed, prefillTokens: 2, decodeSequences: 1)
        profile.prefill.c0Milliseconds = 0
        #expect(milliseconds(profile, mixed) == 32.55)
        #expect(milliseconds(profile, prefill(100, squares: 10_000)) == 38)
    }

    @Test("Half a nanosecond rounds up, and no step is shorter than a nanosecond")
    func rounding() {
        var profile = LatencyProfile(model: "m", device: "d")
        #expect(profile.duration(of: StepWorkload(kind: .prefill)).nanoseconds == 1)
        profile.decode.c3Milliseconds = 0.000_002_5
        #expect(profile.duration(of: StepWorkload(kind: .decode)).nanoseconds == 3)
        profile.decode.c3Milliseconds = -4
        #expect(profile.duration(of: StepWorkload(kind: .decode)).nanoseconds == 1)
        profile.decode.c3Milliseconds = .nan
        #expect(profile.duration(of: StepWorkload(kind: .decode)).nanoseconds == 1)
        profile.decode.c3Milliseconds = 1e300
        #expect(profile.duration(of: StepWorkload(kind: .decode)).nanoseconds == .max)
    }

    @Test("Terms are added in the model's order: the result is that order's, to the last bit")
    func orderOfAddition() {
        var profile = profile
        profile.decode.k2Milliseconds = 0.1
        profile.decode.c2Milliseconds = 0.2
        profile.decode.c3Milliseconds = 0.3
        let workload = StepWorkload(kind: .decode, decodeSequences: 7, contextTokens: 3)
        let k2 = 0.1 / 1000.0
        let c2 = 0.2 / 1000.0
        let c3 = 0.3 / 1000.0
        #expect(profile.seconds(of: workload) == (k2 * 3 + c2 * 7) + c3)
    }
}
