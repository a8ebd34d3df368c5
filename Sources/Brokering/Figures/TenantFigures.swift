internal import ServingModel

/// What became of queries, by model, tenant and class.
///
/// Tenants are names that clients choose, so only so many are kept apart: those that come first.
package struct TenantFigures: Sendable {
    package struct Key: Hashable, Sendable {
        package var model: String
        /// `none` for queries that name no tenant, `other` for those that came too late.
        package var tenant: String
        package var serviceClass: ServiceClass
    }

    /// How a query came out, from its objective's point of view.
    package enum Outcome: Int, Hashable, Sendable, CaseIterable {
        /// Completed within both objectives, and after one of them.
        case met, missed
        case failed
        /// By the client.
        case cancelled
        /// Not accepted.
        case refused
        /// Ended because of what was asked, which is not the service's doing.
        case invalid

        /// The word in metrics.
        package var label: String { String(describing: self) }
    }

    package struct Figures: Sendable {
        private var queries = Outcome.allCases.map { _ in UInt64(0) }
        /// Of queries that have ended, and of those that met their objectives.
        package fileprivate(set) var outputTokens: UInt64 = 0
        package fileprivate(set) var outputTokensInTime: UInt64 = 0

        package func queries(_ outcome: Outcome) -> UInt64 { queries[outcome.rawValue] }

        fileprivate mutating func count(_ outcome: Outcome) { queries[outcome.rawValue] += 1 }
    }

    /// Tenants kept apart at most.
    package static let maximumTenants = 50
    static let nobody = "none"
    static let others = "other"

    package private(set) var all: [Key: Figures] = [:]
    private var tenants: Set<String> = []

    mutating func noteRefusal(of submission: Submission, for model: String) {
        all[key(of: submission, model), default: Figures()].count(.refused)
    }

    mutating func noteEnd(of query: QueryRecord, with status: Status) {
        let outcome = Self.outcome(of: query, status)
        let key = key(of: query.submission, query.model)
        all[key, default: Figures()].count(outcome)
        all[key]?.outputTokens += UInt64(query.output.count)
        if outcome == .met { all[key]?.outputTokensInTime += UInt64(query.output.count) }
    }

    private static func outcome(of query: QueryRecord, _ status: Status) -> Outcome {
        if status.isOK { return query.metObjective ? .met : .missed }
        if status.code == .cancelled { return .cancelled }
        return ModelRecord.judges(status) ? .failed : .invalid
    }

    private mutating func key(of submission: Submission, _ model: String) -> Key {
        Key(
            model: model,
            tenant: name(of: submission.tenant),
            serviceClass: ServiceClass(priority: submission.priority)
        )
    }

    private mutating func name(of tenant: String) -> String {
        if tenant.isEmpty { return Self.nobody }
        if tenants.contains(tenant) { return tenant }
        guard tenants.count < Self.maximumTenants else { return Self.others }
        tenants.insert(tenant)
        return tenant
    }
}
