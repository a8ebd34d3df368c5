/// What a key is good for: one endpoint of the broker, or the gateway.
package enum Role: String, Hashable, Codable, CaseIterable, Sendable {
    case frontend
    case worker
    case scheduler
    case admin
    /// Clients of the gateway, who have an API key instead of a CURVE key.
    case http

    /// The roles that the broker has an endpoint for.
    package static let endpoints: [Role] = [.frontend, .worker, .scheduler, .admin]

    /// Whether what its principals do is done for a tenant.
    package var hasTenant: Bool {
        switch self {
        case .frontend, .http, .admin: true
        case .worker, .scheduler: false
        }
    }
}
