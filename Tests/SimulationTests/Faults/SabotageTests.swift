import Simulation
import Testing

@Suite("The checkers of the fault simulation notice")
struct SabotageTests {
    /// Seeds within which each has to be found.
    private static let bound: UInt64 = 80

    @Test("What is broken on purpose, each by its own invariant", arguments: Sabotage.allCases)
    func isCaught(sabotage: Sabotage) {
        for seed in 0..<Self.bound {
            var cluster = FaultyCluster(seed: seed, sabotage: sabotage)
            cluster.run()
            guard let violation = cluster.violation else { continue }
            #expect(violation.invariant == sabotage.invariant, "\(violation)")
            return
        }
        Issue.record("\(sabotage) was not noticed in \(Self.bound) seeds")
    }

    @Test("There is a sabotage for each invariant that is checked, and no other")
    func isComplete() {
        let covered = Set(Sabotage.allCases.map(\.invariant))
        #expect(covered == Set(FaultInvariant.allCases.filter(\.isChecked)))
    }
}
