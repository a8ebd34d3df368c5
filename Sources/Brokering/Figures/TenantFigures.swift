internal import RecordTables
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

    /// Rows kept at most, whatever combinations there are.
    private static let maximumRows = 2000

    /// In the order in which they came.
    package private(set) var rows: [(key: Key, figures: Figures)] = []
    private var places: [Key: Int] = [:]
    /// The row counted in last.
    ///
    /// Queries have mostly the company of their like, and comparing names is quicker than looking them up.
    private var latest = 0
    private var tenants: Set<String> = []

    package subscript(key: Key) -> Figures? { places[key].map { rows[$0].figures } }

    mutating func noteRefusal(of submission: Submission, for model: String) {
        let serviceClass = ServiceClass(name: submission.objectiveClass, priority: submission.priority)
        let row = row(of: submission.tenant, model, serviceClass)
        rows[row].figures.count(.refused)
    }

    mutating func noteEnd(_ query: QueryOutcome) {
        let outcome = Self.outcome(of: query)
        let row = row(of: query.tenant, query.model, query.serviceClass)
        rows[row].figures.count(outcome)
        rows[row].figures.outputTokens += UInt64(query.outputTokens)
        if outcome == .met { rows[row].figures.outputTokensInTime += UInt64(query.outputTokens) }
    }

    private static func outcome(of query: QueryOutcome) -> Outcome {
        if query.status.isOK { return query.metObjective ? .met : .missed }
        if query.status.code == .cancelled { return .cancelled }
        return ModelRecord.judges(query.status) ? .failed : .invalid
    }

    private mutating func row(of tenant: String, _ model: String, _ serviceClass: ServiceClass) -> Int {
        var key = Key(model: model, tenant: name(of: tenant), serviceClass: serviceClass)
        if latest < rows.count, rows[latest].key == key { return latest }
        if places[key] == nil, rows.count >= Self.maximumRows { key.tenant = Self.others }
        if let row = places[key] {
            latest = row
        } else {
            latest = rows.count
            places[key] = latest
            rows.append((key, Figures()))
        }
        return latest
    }

    private mutating func name(of tenant: String) -> String {
        if tenant.isEmpty { return Self.nobody }
        if tenants.contains(tenant) { return tenant }
        guard tenants.count < Self.maximumTenants else { return Self.others }
        tenants.insert(tenant)
        return tenant
    }
}
