internal import ZeroMQ

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The registry as JSON: public keys and hashes, nothing secret.
package enum RegistryFile {
    private struct Document: Codable {
        var version = 1
        var principals: [Entry]
    }

    private struct Entry: Codable {
        var name: String
        var role: String
        var tenant: String?
        var publicKey: String?
        var apiKeySHA256: String?
        var createdUnix: Int
        var revokedUnix: Int?
        var expiresUnix: Int?

        enum CodingKeys: String, CodingKey {
            case name, role, tenant
            case publicKey = "public_key"
            case apiKeySHA256 = "api_key_sha256"
            case createdUnix = "created_unix"
            case revokedUnix = "revoked_unix"
            case expiresUnix = "expires_unix"
        }
    }

    /// - Throws: `AccessError` that names the entry.
    package static func decode(_ bytes: [UInt8]) throws(AccessError) -> AccessRegistry {
        let document: Document
        do {
            document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch {
            throw AccessError("it is not the JSON of a registry")
        }
        guard document.version == 1 else {
            throw AccessError("its version is \(document.version); this aladdin knows version 1")
        }
        var registry = AccessRegistry()
        for entry in document.principals { try registry.add(try principal(entry)) }
        return registry
    }

    package static func encode(_ registry: AccessRegistry) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers only: there is nothing that could fail.
        guard let data = try? encoder.encode(Document(principals: registry.principals.map(entry))) else {
            fatalError("a registry has no JSON")
        }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    private static func principal(_ entry: Entry) throws(AccessError) -> Principal {
        guard let role = Role(rawValue: entry.role) else {
            throw AccessError("'\(entry.name)' has the unknown role '\(entry.role)'")
        }
        let proof: Principal.Proof
        switch (entry.publicKey.map { CurveKey($0) }, entry.apiKeySHA256.map { APIKeyDigest(hexadecimal: $0) }) {
        case (let key??, nil): proof = .curve(key)
        case (nil, let digest??): proof = .apiKey(digest)
        default:
            throw AccessError(
                "'\(entry.name)' must have either public_key, 40 characters of Z85, or api_key_sha256, 64 hexadecimal digits"
            )
        }
        return Principal(
            name: entry.name,
            role: role,
            tenant: entry.tenant,
            proof: proof,
            created: entry.createdUnix,
            revoked: entry.revokedUnix,
            expires: entry.expiresUnix
        )
    }

    private static func entry(_ principal: Principal) -> Entry {
        var entry = Entry(
            name: principal.name,
            role: principal.role.rawValue,
            tenant: principal.tenant,
            createdUnix: principal.created,
            revokedUnix: principal.revoked,
            expiresUnix: principal.expires
        )
        switch principal.proof {
        case .curve(let key): entry.publicKey = key.description
        case .apiKey(let digest): entry.apiKeySHA256 = digest.hexadecimal
        }
        return entry
    }
}
