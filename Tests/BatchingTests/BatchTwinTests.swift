import Batching
import ServingModel
import Testing

@Suite("A batch beside its naive twin")
struct BatchTwinTests {
    @Test(
        "Every step, every block and every cancellation agree, and nothing is lost",
        arguments: BatchingMode.allCases,
        0..<20
    )
    func agrees(mode: BatchingMode, seed: Int) {
        var scenario = TwinScenario(mode: mode, seed: UInt64(seed))
        for _ in 0..<300 { scenario.act() }
        scenario.drain()
        #expect(scenario.everyoneLeftOnce)
        #expect(scenario.tokensEmitted > 0)
    }

    @Test("The seeds reach preemptions of running and of prefilling sequences, and cancellations inside steps")
    func reachesTheCorners() {
        for mode in BatchingMode.allCases {
            var preemptions = 0
            var preemptedPrefills = 0
            var cancelledInStep = 0
            for seed in 0..<30 {
                var scenario = TwinScenario(mode: mode, seed: UInt64(seed))
                for _ in 0..<300 { scenario.act() }
                preemptions += scenario.preemptions
                preemptedPrefills += scenario.preemptedPrefills
                cancelledInStep += scenario.cancelledInStep
            }
            #expect(preemptions > 50)
            #expect(mode == .prefillPriority ? preemptedPrefills == 0 : preemptedPrefills > 10)
            #expect(cancelledInStep > 30)
        }
    }
}
