import Brokering
import ServingModel
import Testing

@Suite("A broker among random clients, workers and schedulers")
struct RandomBrokerTests {
    @Test("Every answer is whole, every query ends once, and nothing is left behind", arguments: 0..<12)
    func random(seed: Int) {
        var scenario = ClusterScenario(seed: UInt64(seed))
        for _ in 0..<700 { scenario.act() }
        scenario.drainEverything()
        let broker = scenario.broker
        #expect(broker.liveQueries == 0)
        #expect(scenario.openCalls.isEmpty)
        #expect(scenario.workers.allSatisfy { $0.executions.isEmpty }, "every execution ended or was revoked")
        #expect(broker.model("m")?.queued == 0)
        #expect(broker.model("m")?.running == 0)
        _ = scenario.broker.tick(at: scenario.now + .seconds(1))
        scenario.broker.checkInvariants()
        #expect(scenario.queryOrder.allSatisfy { scenario.broker.query($0) == nil }, "results are forgotten")
    }

    @Test("The seeds reach losses, resets, resumptions, stale reports, refusals and every way to end")
    func reachesTheCorners() {
        var reached: [String: Int] = [:]
        for seed: UInt64 in 20..<32 {
            var scenario = ClusterScenario(seed: seed)
            for _ in 0..<700 { scenario.act() }
            scenario.drainEverything()
            reached.merge(scenario.reached) { $0 + $1 }
        }
        for corner in [
            "lost", "reset", "told to start over", "resumed", "stale", "revoked", "failed", "refused", "attached",
            "ended ok", "ended deadlineExceeded", "ended unavailable", "ended invalidArgument",
        ] {
            #expect(reached[corner, default: 0] > 0, "\(corner) is reached")
        }
    }
}
