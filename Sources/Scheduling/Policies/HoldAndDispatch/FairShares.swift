internal import ServingModel

/// Tokens that each tenant has had, so that the one that had least can go first.
///
/// A tenant that comes back after a pause starts level with the least served of those that wait: it can't save up.
/// Source: Sheng et al., "Fairness in Serving Large Language Models" (virtual token counters), OSDI 2024.
struct FairShares: Sendable {
    /// What a token of output weighs against one of input.
    private static let outputWeight = 2.0
    private static let maximumTenants = 4096

    private var tokens: [String: Double] = [:]
    private var waiting: Set<String> = []

    /// Virtual tokens so far.
    func served(_ tenant: String) -> Double {
        tokens[tenant] ?? 0
    }

    /// Whether one tenant had clearly more than another; nil if they are about level.
    func isServedMore(_ tenant: String, than other: String) -> Bool? {
        guard tenant != other else { return nil }
        let (left, right) = (served(tenant), served(other))
        guard abs(left - right) > 0.05 * max(left, right) else { return nil }
        return left > right
    }

    mutating func charge(_ query: UnplacedQuery, answering mean: Double) {
        guard !query.tenant.isEmpty || !tokens.isEmpty else { return }
        if tokens.count >= Self.maximumTenants, tokens[query.tenant] == nil { tokens.removeAll() }
        tokens[query.tenant, default: 0] += Double(query.prefillTokens) + Self.outputWeight * mean
    }

    /// Lifts tenants that have just begun to wait to the least of those that waited already.
    mutating func noteWaiting(_ queue: ArraySlice<UnplacedQuery>) {
        var now: Set<String> = []
        for query in queue { now.insert(query.tenant) }
        let least = now.intersection(waiting).map { served($0) }.min()
        if let least {
            for tenant in now.subtracting(waiting) { tokens[tenant] = max(served(tenant), least) }
        }
        waiting = now
    }
}
