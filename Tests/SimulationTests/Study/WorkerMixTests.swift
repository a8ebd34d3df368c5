import ServingModel
import Simulation
import Testing

@Suite struct WorkerMixTests {
    private func mix(_ counts: Int...) -> WorkerMix {
        WorkerMix(
            counts.enumerated().map { index, count in
                var profile = StudyFixture.profile
                profile.gpus = index + 1
                return WorkerMix.Part(profile: profile, count: count)
            }
        )
    }

    @Test func `Any number of workers is in the proportions, and adds up`() {
        let mix = mix(2, 1)
        #expect(mix.counts(of: 3) == [2, 1])
        #expect(mix.counts(of: 9) == [6, 3])
        #expect(mix.counts(of: 4) == [3, 1])
        #expect(mix.counts(of: 1) == [1, 0])
        #expect(mix.gpus(of: 9) == 12)
        for count in 0...50 { #expect(mix.profiles(of: count).count == count) }
    }

    @Test func `The optimist is in no respect worse than any part`() {
        var fast = StudyFixture.profile
        fast.decode.c3Milliseconds = 5
        fast.prefill.k1Milliseconds = 0.3
        fast.prefill.kneeTokens = 100
        fast.prefill.k1AboveKneeMilliseconds = -0.25
        let optimist = WorkerMix([.init(profile: StudyFixture.profile, count: 1), .init(profile: fast, count: 1)])
            .optimist
        for profile in [StudyFixture.profile, fast] {
            for tokens in [1, 50, 200, 2000] {
                let prompt = UnloadedLatency(profile: profile, inputTokens: tokens, outputTokens: 20)
                let best = UnloadedLatency(profile: optimist, inputTokens: tokens, outputTokens: 20)
                #expect(best.timeToFirstToken <= prompt.timeToFirstToken)
                #expect(best.averageTokenTime! <= prompt.averageTokenTime!)
            }
        }
    }
}
