internal import ServingModel

/// Which tenants had more than their fair share of what was admitted lately.
///
/// Fair is max-min: a tenant that asks for less than the level has all it asks for, the others have the level, and
/// together they have what is admitted. Tokens are counted as the fair-share order of the queue does: a token of
/// output weighs as much as two of input. Complexity: O(1) a query, and O(n log n) in the tenants twice a second.
struct TenantShares: Sendable {
    private struct Tenant: Sendable {
        /// Tokens asked for and let in, a second.
        var offered: DecayingSum
        var admitted: DecayingSum
    }

    static let outputWeight = 2.0
    private static let maximumTenants = 4096
    private static let refreshInterval = Interval.milliseconds(500)

    private let timeConstant: Double
    private var tenants: [Tenant] = []
    private var indices: [String: Int] = [:]
    /// Tokens a second beyond which a tenant has more than its share.
    private var level = Double.infinity
    private var refreshed = Instant.zero

    init(timeConstant: Double) {
        self.timeConstant = timeConstant
    }

    /// Whether a tenant is over its share; one that is alone never is.
    mutating func isOverServed(_ name: String, at now: Instant) -> Bool {
        if now >= refreshed + Self.refreshInterval { refresh(at: now) }
        guard level < .infinity, let index = indices[name] else { return false }
        return tenants[index].admitted.rate(at: now) > level
    }

    mutating func note(_ name: String, tokens: Double, isAdmitted: Bool, at now: Instant) {
        if indices[name] == nil {
            if tenants.count >= Self.maximumTenants {
                tenants.removeAll()
                indices.removeAll()
            }
            indices[name] = tenants.count
            let none = DecayingSum(timeConstant: timeConstant)
            tenants.append(Tenant(offered: none, admitted: none))
        }
        guard let index = indices[name] else { return }
        tenants[index].offered.add(tokens, at: now)
        if isAdmitted { tenants[index].admitted.add(tokens, at: now) }
    }

    /// Fills the tenants' demands like vessels up to the level at which they hold what is admitted.
    private mutating func refresh(at now: Instant) {
        refreshed = now
        level = .infinity
        guard tenants.count > 1 else { return }
        let demands = tenants.map { $0.offered.rate(at: now) }.sorted()
        var left = tenants.reduce(0) { $0 + $1.admitted.rate(at: now) }
        for (position, demand) in demands.enumerated() {
            let share = left / Double(demands.count - position)
            guard demand <= share else {
                level = share
                return
            }
            left -= demand
        }
    }
}
