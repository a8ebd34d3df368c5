import AccessControl
import Testing
import ZeroMQ

@Suite("A registry of principals")
struct AccessRegistryTests {
    private func principal(
        _ name: String,
        _ role: Role = .frontend,
        tenant: String? = nil,
        key: CurveKey = CurveKeyPair().publicKey
    ) -> Principal {
        Principal(name: name, role: role, tenant: tenant, proof: .curve(key), created: 1)
    }

    @Test("A key is good for its own role and for no other")
    func roles() throws {
        for role in Role.endpoints {
            let key = CurveKeyPair().publicKey
            let registry = try AccessRegistry([principal("p", role, key: key)])
            for other in Role.allCases {
                #expect(registry.owner(of: key, as: other, at: 9)?.name == (other == role ? "p" : nil))
            }
            #expect(registry.owner(of: CurveKeyPair().publicKey, as: role, at: 9) == nil)
        }
    }

    @Test("What is revoked stays in the books and opens nothing; revoking again changes nothing")
    func revoking() throws {
        let key = CurveKeyPair().publicKey
        var registry = try AccessRegistry([principal("p", key: key)])
        let before = try registry.revoke("p", at: 7)
        #expect(!before.isRevoked)
        #expect(registry.owner(of: key, as: .frontend, at: 9) == nil)
        #expect(registry["p"]?.revoked == 7)
        let again = try registry.revoke("p", at: 9)
        #expect(again.isRevoked)
        #expect(registry["p"]?.revoked == 7)
        #expect(throws: AccessError.self) { try registry.revoke("q", at: 9) }
    }

    @Test("Neither a name nor a key is used twice, not even after revocation")
    func uniqueness() throws {
        let key = CurveKeyPair().publicKey
        var registry = try AccessRegistry([principal("p", key: key)])
        _ = try registry.revoke("p", at: 7)
        #expect(throws: AccessError.self) { try registry.add(principal("p")) }
        #expect(throws: AccessError.self) { try registry.add(principal("q", key: key)) }
        #expect(registry.principals.count == 1)
    }

    @Test(
        "Names that could be mistaken for something else are refused",
        arguments: [
            "", ".hidden", "-flag", "a/b", "../up", "a b", "a\nb", "ä", "(gateway)", String(repeating: "a", count: 65),
        ]
    )
    func names(name: String) {
        #expect(!Principal.isName(name))
        #expect(throws: AccessError.self) { try AccessRegistry([principal(name)]) }
    }

    @Test("Kinds of keys and tenants must fit the role")
    func kinds() {
        let digest = APIKey().digest
        let worker = Principal(name: "w", role: .worker, tenant: nil, proof: .apiKey(digest), created: 1)
        #expect(throws: AccessError.self) { try AccessRegistry([worker]) }
        #expect(throws: AccessError.self) { try AccessRegistry([principal("h", .http)]) }
        #expect(throws: AccessError.self) { try AccessRegistry([principal("w", .worker, tenant: "t")]) }
        #expect(throws: AccessError.self) { try AccessRegistry([principal("f", tenant: "with space")]) }
    }

    @Test("An API key opens with its whole text only, until it is revoked")
    func apiKeys() throws {
        let keys = (0..<3).map { _ in APIKey() }
        let principals = keys.enumerated().map { index, key in
            Principal(name: "h\(index)", role: .http, tenant: "t", proof: .apiKey(key.digest), created: 1)
        }
        var registry = try AccessRegistry(principals)
        for (index, key) in keys.enumerated() {
            #expect(registry.owner(ofAPIKey: key.text, at: 9)?.name == "h\(index)")
            #expect(registry.owner(ofAPIKey: String(key.text.dropLast()), at: 9) == nil)
            #expect(registry.owner(ofAPIKey: key.text + "0", at: 9) == nil)
            #expect(registry.owner(ofAPIKey: key.digest.hexadecimal, at: 9) == nil)
        }
        #expect(registry.owner(ofAPIKey: "", at: 9) == nil)
        _ = try registry.revoke("h1", at: 2)
        #expect(registry.owner(ofAPIKey: keys[1].text, at: 9) == nil)
        #expect(registry.owner(ofAPIKey: keys[2].text, at: 9)?.name == "h2")
    }

    @Test("The digest is SHA-256, as its standard has it")
    func digest() {
        // FIPS 180-4, the example of one block.
        #expect(
            APIKeyDigest(of: "abc").hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }

    @Test("A registry is the same after it was written and read")
    func roundTrip() throws {
        var registry = try AccessRegistry([
            principal("a", tenant: "acme"), principal("b", .worker), principal("c", .admin),
            Principal(name: "h", role: .http, tenant: "t", proof: .apiKey(APIKey().digest), created: 3),
        ])
        _ = try registry.revoke("b", at: 5)
        #expect(try RegistryFile.decode(RegistryFile.encode(registry)) == registry)
    }

    @Test(
        "A registry that says something else is refused as a whole",
        arguments: [
            "", "{}", "[]", #"{"version": 2, "principals": []}"#,
            #"{"version": 1, "principals": [{"name": "a", "role": "frontend", "created_unix": 1}]}"#,
            #"{"version": 1, "principals": [{"name": "a", "role": "king", "public_key": "x", "created_unix": 1}]}"#,
            #"{"version": 1, "principals": [{"name": "a", "role": "http", "api_key_sha256": "00", "created_unix": 1}]}"#,
        ]
    )
    func malformed(text: String) {
        #expect(throws: AccessError.self) { try RegistryFile.decode(Array(text.utf8)) }
    }
}
