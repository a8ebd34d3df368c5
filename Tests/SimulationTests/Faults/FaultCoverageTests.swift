import Simulation
import Testing

@Suite("What the fault simulation reaches")
struct FaultCoverageTests {
    @Test("Two hundred seeds reach every kind of fault, of recovery and of call")
    func reachesEverything() {
        var coverage = FaultCoverage()
        for seed: UInt64 in 0..<200 {
            var cluster = FaultyCluster(seed: seed)
            cluster.run()
            coverage.add(cluster.coverage)
        }
        #expect(coverage.missing.isEmpty)
    }

    @Test("Without faults there are none, and nothing is lost or tried twice")
    func calm() {
        var plan = FaultPlan(seed: 0)
        plan.faultGap = nil
        plan.crashChance = 0
        plan.duplicateChance = 0
        plan.slowSyncChance = 0
        plan.failedSyncChance = 0
        plan.engineFailureChance = 0
        plan.poisonChance = 0
        plan.cacheLossChance = 0
        for seed: UInt64 in 0..<10 {
            var cluster = FaultyCluster(seed: seed, plan: plan)
            cluster.run()
            #expect(cluster.violation == nil)
            for corner: FaultCoverage.Corner in [
                .connectionLost, .brokerKilled, .brokerKilledAmidActions, .failedSync, .workerKilled, .recoveredQueued,
                .attemptsExhausted, .poisonous, .startedOver, .volatileLost,
            ] {
                #expect(cluster.coverage[corner] == 0, "\(corner)")
            }
            #expect(cluster.coverage[.endedOK] > 0)
        }
    }
}
