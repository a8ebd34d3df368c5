/// Every policy by its name on the command line: a policy is one file and one line here.
package enum PolicyCatalog {
    package static let defaultName = "least-ttft"

    /// - Parameter seed: what random policies draw from.
    /// - Returns: nil for a name that is not known.
    package static func make(_ name: String, seed: UInt64) -> (any PlacementPolicy)? {
        policies.first { $0.name == name }?.make(seed)
    }

    package static var names: [String] { policies.map(\.name) }

    private static let policies: [(name: String, make: @Sendable (UInt64) -> any PlacementPolicy)] = [
        ("least-ttft", { _ in LeastTimeToFirstToken() }),
        ("round-robin", { _ in RoundRobin() }),
        ("random", { RandomWorker(seed: $0) }),
        ("jsq", { _ in JoinShortestQueue() }),
        ("power-of-two", { PowerOfTwoChoices(seed: $0) }),
        ("least-tokens", { _ in LeastTokens() }),
        ("least-kv", { _ in LeastKVCache() }),
    ]
}
