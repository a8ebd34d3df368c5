package import ZeroMQ

/// Somebody who may be let in: a name, a role, and the key that proves it.
package struct Principal: Hashable, Sendable {
    package enum Proof: Hashable, Sendable {
        case curve(CurveKey)
        /// Of an API key, whose text nobody keeps.
        case apiKey(APIKeyDigest)
    }

    package var name: String
    package var role: Role
    /// The one tenant it speaks for; nil for any.
    package var tenant: String?
    package var proof: Proof
    /// Seconds since 1970.
    package var created: Int
    /// When it was revoked, for good; nil for one that is good.
    package var revoked: Int?
    /// From when on it is good no longer; nil for never.
    package var expires: Int?

    package init(
        name: String,
        role: Role,
        tenant: String?,
        proof: Proof,
        created: Int,
        revoked: Int? = nil,
        expires: Int? = nil
    ) {
        self.name = name
        self.role = role
        self.tenant = tenant
        self.proof = proof
        self.created = created
        self.revoked = revoked
        self.expires = expires
    }

    package var isRevoked: Bool { revoked != nil }

    /// - Parameter time: seconds since 1970.
    package func isActive(at time: Int) -> Bool {
        !isRevoked && expires.map { time < $0 } ?? true
    }

    /// Whether `name` may name a principal: it becomes a file's name, a word in logs and tables, and ZAP's user id.
    package static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first, isLetterOrDigit(first) else {
            return false
        }
        return name.utf8.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
    }

    /// What `isName` wants, in words.
    package static let nameRule = "1 to 64 letters, digits, '-', '_' and '.', the first a letter or a digit"

    /// Whether `tenant` may name a tenant, as in the metadata of queries.
    package static func isTenant(_ tenant: String) -> Bool {
        (1...64).contains(tenant.utf8.count) && tenant.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
