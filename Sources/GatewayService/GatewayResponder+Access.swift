internal import AccessControl
internal import HTTPTypes
internal import Hummingbird
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
    func caller(of request: Request, _ route: Route) throws(APIError) -> Caller {
        guard let access, route.needsKey else { return Caller() }
        guard let header = request.headers[.authorization] else {
            throw Self.unauthorized("An API key is needed: send the header 'Authorization: Bearer KEY'.")
        }
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw Self.unauthorized("The header 'authorization' must be 'Bearer KEY'.")
        }
        guard let principal = access.owner(ofAPIKey: String(words[1])) else {
            throw Self.unauthorized("This API key is not known, or was revoked.")
        }
        return Caller(tenant: principal.tenant)
    }

    private static func unauthorized(_ message: String) -> APIError {
        APIError(Status(.unauthenticated, .invalidApiKey, message))
    }
}

extension Route {
    /// Health and readiness are for probes that have no keys, and the landing page says nothing of the service's state.
    var needsKey: Bool {
        switch self {
        case .completion, .query, .models, .model, .metrics: true
        case .health, .ready, .landingPage: false
        }
    }
}
