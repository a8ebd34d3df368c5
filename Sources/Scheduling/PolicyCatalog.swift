/// Every policy by its name on the command line: a policy is one file and one line here.
package enum PolicyCatalog {
    package static let defaultName = "aladdin"

    /// A policy from its name and settings, `name[:key=value]…`.
    ///
    /// - Parameter seed: what random policies draw from.
    package static func make(_ text: String, seed: UInt64) throws(PolicyError) -> any PlacementPolicy {
        var settings = try PolicySettings(text)
        guard let entry = policies.first(where: { $0.name == settings.name }) else {
            throw PolicyError(message: "no policy '\(settings.name)'; there are: \(names.joined(separator: ", "))")
        }
        let policy = try entry.make(&settings, seed)
        try settings.finish()
        return policy
    }

    package static var names: [String] { policies.map(\.name) }

    private typealias Maker = @Sendable (inout PolicySettings, UInt64) throws(PolicyError) -> any PlacementPolicy

    private static let policies: [(name: String, make: Maker)] = [
        ("aladdin", { (settings, _) throws(PolicyError) in HoldAndDispatch(try .init(&settings)) }),
        ("aladdin-paper", { (settings, _) throws(PolicyError) in BestFit(try .init(&settings)) }),
        ("round-robin", { _, _ in RoundRobin() }),
        ("random", { _, seed in RandomWorker(seed: seed) }),
        ("jsq", { _, _ in JoinShortestQueue() }),
        ("power-of-two", { _, seed in PowerOfTwoChoices(seed: seed) }),
        ("least-tokens", { _, _ in LeastTokens() }),
        ("least-kv", { _, _ in LeastKVCache() }),
        ("least-ttft", { _, _ in LeastTimeToFirstToken() }),
        ("pending-prefill", { _, _ in PendingPrefill() }),
        ("cache-aware", { (settings, _) throws(PolicyError) in CacheAware(try .init(&settings)) }),
        ("weighted", { (settings, seed) throws(PolicyError) in WeightedScores(try .init(&settings), seed: seed) }),
        ("kv-cost", { (settings, seed) throws(PolicyError) in KVCostModel(try .init(&settings), seed: seed) }),
        ("polyserve", { (settings, _) throws(PolicyError) in PolyServe(try .init(&settings)) }),
    ]
}
