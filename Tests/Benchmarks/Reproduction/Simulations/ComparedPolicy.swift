internal import Simulation

/// A policy of the comparisons: what the catalogue calls it, and what it is told of lengths.
struct ComparedPolicy: Hashable, Sendable {
    let title: String
    let name: String
    var lengths = SimulationStudy.Lengths.predicted(factor: 1)

    static let aladdin = ComparedPolicy(title: "aladdin", name: "aladdin")
    static let paper = ComparedPolicy(title: "aladdin-paper", name: "aladdin-paper")
    /// With the θ that does best where nothing is overestimated.
    static let paperOracle = ComparedPolicy(
        title: "aladdin-paper, lengths known",
        name: "aladdin-paper:theta=0.7",
        lengths: .oracle
    )
    static let roundRobin = ComparedPolicy(title: "round-robin", name: "round-robin")
    static let jsq = ComparedPolicy(title: "jsq", name: "jsq")
    static let powerOfTwo = ComparedPolicy(title: "power-of-two", name: "power-of-two")

    static let all =
        [aladdin, paper, paperOracle, roundRobin, jsq, powerOfTwo]
        + ["pending-prefill", "least-kv", "cache-aware", "weighted", "kv-cost", "polyserve"].map {
            ComparedPolicy(title: $0, name: $0)
        }

    static func compared(_ scope: Scope) -> [ComparedPolicy] {
        scope == .full ? all : [aladdin, paper, roundRobin, jsq, all[6]]
    }
}
