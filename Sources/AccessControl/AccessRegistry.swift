package import ZeroMQ

/// Everybody who was ever let in, at one moment.
///
/// A name belongs to one key for ever: a revoked principal stays, so that its name cannot come to mean somebody else
/// while a connection of the former still lives.
package struct AccessRegistry: Hashable, Sendable {
    package private(set) var principals: [Principal] = []
    private var indexByName: [String: Int] = [:]
    private var indexByKey: [CurveKey: Int] = [:]

    package init() {}

    /// - Throws: `AccessError` for the first principal that cannot be.
    package init(_ principals: [Principal]) throws(AccessError) {
        for principal in principals { try add(principal) }
    }

    /// - Throws: `AccessError` if the name or the key is taken, or something about it is malformed.
    package mutating func add(_ principal: Principal) throws(AccessError) {
        guard Principal.isName(principal.name) else {
            throw AccessError("'\(principal.name)' is not a name: it must be \(Principal.nameRule)")
        }
        guard indexByName[principal.name] == nil else {
            throw AccessError(
                "the name '\(principal.name)' is taken, revoked or not; names are never used again, so choose another"
            )
        }
        if let tenant = principal.tenant {
            guard principal.role.hasTenant else {
                throw AccessError("a \(principal.role) has no tenant")
            }
            guard Principal.isTenant(tenant) else {
                throw AccessError("a tenant has 1 to 64 visible ASCII characters")
            }
        }
        switch (principal.proof, principal.role) {
        case (.apiKey, .http):
            break
        case (.curve(let key), .frontend), (.curve(let key), .worker), (.curve(let key), .scheduler),
            (.curve(let key), .admin):
            guard indexByKey[key] == nil else {
                throw AccessError("'\(principal.name)' has another principal's key")
            }
            indexByKey[key] = principals.count
        default:
            throw AccessError("'\(principal.name)' has the wrong kind of key for a \(principal.role)")
        }
        indexByName[principal.name] = principals.count
        principals.append(principal)
    }

    /// Takes a principal's rights away, for good.
    ///
    /// - Returns: the principal as it was.
    /// - Throws: `AccessError` if there is none of that name.
    package mutating func revoke(_ name: String, at time: Int) throws(AccessError) -> Principal {
        guard let index = indexByName[name] else { throw AccessError("there is no principal '\(name)'") }
        let principal = principals[index]
        principals[index].revoked = principal.revoked ?? time
        return principal
    }

    package subscript(name: String) -> Principal? { indexByName[name].map { principals[$0] } }

    /// The owner of a key if it is good for this role; one look-up, whatever the answer.
    package func owner(of key: CurveKey, as role: Role, at time: Int) -> Principal? {
        guard let index = indexByKey[key], principals[index].role == role, principals[index].isActive(at: time) else {
            return nil
        }
        return principals[index]
    }

    /// The owner of an API key; looks at all of them, whatever the answer.
    package func owner(ofAPIKey text: String, at time: Int) -> Principal? {
        let digest = APIKeyDigest(of: text)
        var owner: Principal?
        for principal in principals {
            guard case .apiKey(let known) = principal.proof else { continue }
            if known.matches(digest), principal.isActive(at: time) { owner = principal }
        }
        return owner
    }
}

/// Something about keys that cannot be, in words for whoever runs the service.
package struct AccessError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
