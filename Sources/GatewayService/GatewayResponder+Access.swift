internal import AccessControl
internal import HTTPTypes
internal import ServingModel

/// Who may use the gateway, where it has keys to ask for.
extension GatewayResponder {
    /// On whose behalf a request is made.
    struct Caller: Hashable, Sendable {
        /// The one tenant that it speaks for; nil for any.
        var tenant: String?

        private static let header = "x-aladdin-tenant"

        /// Puts a query on the caller's account.
        ///
        /// - Throws: an `APIError` of status 403 if it names another's.
        func charge(_ metadata: inout [(key: String, value: String)]) throws(APIError) {
            guard let tenant else { return }
            if let named = metadata.first(where: { $0.key == Self.header })?.value, named != tenant {
                let message = "This API key does not speak for the tenant in the header \(Self.header); leave it out."
                throw APIError(Status(.permissionDenied, .tenantForbidden, message))
            }
            metadata.removeAll { $0.key == Self.header }
            metadata.append((Self.header, tenant))
        }
    }

    /// Checks the request's key.
    ///
    /// - Throws: an `APIError` of status 401 unless the key is good, or none is needed.
    func caller(of headers: HTTPFields, _ route: Route) throws(APIError) -> Caller {
        guard let access, route.audience != .anybody else { return Caller() }
        guard let header = headers[.authorization] else {
            throw Self.unauthorized("An API key is needed: send the header 'Authorization: Bearer KEY'.")
        }
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw Self.unauthorized("The header 'authorization' must be 'Bearer KEY'.")
        }
        guard let principal = access.owner(ofAPIKey: String(words[1])) else {
            throw Self.unauthorized("This API key is not known, or was revoked.")
        }
        guard route.audience == .tenants || principal.tenant == nil else {
            let message =
                "This API key speaks for one tenant, and \(route.label) shows all of them; use one made with --any-tenant."
            throw APIError(Status(.permissionDenied, .tenantForbidden, message))
        }
        return Caller(tenant: principal.tenant)
    }

    private static func unauthorized(_ message: String) -> APIError {
        APIError(Status(.unauthenticated, .invalidApiKey, message))
    }
}

extension Route {
    /// Who may have an answer, where keys are asked for.
    enum Audience {
        /// Nobody needs a key.
        case anybody
        /// Whoever has a key, for its tenant.
        case tenants
        /// Keys that speak for every tenant.
        case overseers
    }

    /// Probes have no keys, and the page is the same for everybody; figures of the whole cluster are sums over all
    /// tenants, who must not see each other.
    var audience: Audience {
        switch self {
        case .health, .ready, .page: .anybody
        case .completion, .query, .models, .model, .notOffered: .tenants
        case .metrics, .cluster: .overseers
        }
    }
}
