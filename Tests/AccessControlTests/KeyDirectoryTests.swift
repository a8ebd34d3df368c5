import AccessControl
import Foundation
import Testing
import ZeroMQ

@Suite("A directory of keys")
struct KeyDirectoryTests {
    private final class Place {
        let directory = KeyDirectory(
            path: FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        )

        deinit { try? FileManager.default.removeItem(atPath: directory.path) }
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("It is made once, for its owner alone, and what is missing is made again")
    func initialises() throws {
        let place = Place()
        #expect(!place.directory.exists)
        #expect(try place.directory.initialise())
        #expect(place.directory.exists)
        let keys = try place.directory.serverKeys()
        #expect(Set(keys.keys) == Set(Role.endpoints) && Set(keys.values).count == 4)
        #expect(try !place.directory.initialise())
        #expect(try place.directory.serverKeys() == keys)
        try FileManager.default.removeItem(atPath: place.directory.serverKeyPath(.worker))
        #expect(throws: AccessError.self) { try place.directory.serverKeys() }
        #expect(try place.directory.initialise())
        let renewed = try place.directory.serverKeys()
        #expect(renewed[.worker] != keys[.worker] && renewed[.admin] == keys[.admin])
        #expect(try mode(place.directory.path) == 0o700)
        for role in Role.endpoints { #expect(try mode(place.directory.serverKeyPath(role)) == 0o600) }
    }

    @Test("A new key is in the registry, its secret in a file for its owner alone")
    func adds() throws {
        let place = Place()
        try place.directory.initialise()
        guard case .file(let path) = try place.directory.add("alice", role: .frontend, tenant: "acme", at: 5) else {
            Issue.record("no file")
            return
        }
        #expect(try mode(path) == 0o600)
        let file = try SecretKeyFile(text: String(contentsOfFile: path, encoding: .utf8))
        let owner = try place.directory.registry().owner(of: file.keys.publicKey, as: .frontend, at: 9)
        #expect(owner?.name == "alice" && owner?.tenant == "acme" && owner?.created == 5)
        #expect(file.server == (try place.directory.serverKeys()[.frontend]?.publicKey))
        #expect(try !place.directory.revoke("alice", at: 6).isRevoked)
        #expect(try place.directory.registry().owner(of: file.keys.publicKey, as: .frontend, at: 9) == nil)
    }

    @Test("A key's expiry is in the registry")
    func expires() throws {
        let place = Place()
        try place.directory.initialise()
        _ = try place.directory.add("web", role: .http, tenant: "acme", at: 5, expires: 20)
        let principal = try #require(try place.directory.registry()["web"])
        #expect(principal.expires == 20)
        #expect(principal.isActive(at: 19) && !principal.isActive(at: 20))
    }

    @Test("A key that cannot be added leaves nothing behind, and overwrites nothing")
    func refusesWhole() throws {
        let place = Place()
        try place.directory.initialise()
        let before = try place.directory.registry()
        try "precious".write(toFile: place.directory.keyPath("bob"), atomically: true, encoding: .utf8)
        #expect(throws: AccessError.self) { try place.directory.add("bob", role: .worker, tenant: nil, at: 1) }
        #expect(throws: AccessError.self) { try place.directory.add("../x", role: .worker, tenant: nil, at: 1) }
        #expect(throws: AccessError.self) { try place.directory.add("carol", role: .worker, tenant: "t", at: 1) }
        #expect(try place.directory.registry() == before)
        #expect(try String(contentsOfFile: place.directory.keyPath("bob"), encoding: .utf8) == "precious")
        #expect(!FileManager.default.fileExists(atPath: place.directory.keyPath("carol")))
    }

    @Test("Keys that are made side by side are all there afterwards")
    func concurrency() async throws {
        let place = Place()
        let directory = place.directory
        try directory.initialise()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask { _ = try directory.add("w\(number)", role: .worker, tenant: nil, at: number) }
            }
            try await group.waitForAll()
        }
        #expect(Set(try directory.registry().principals.map(\.name)) == Set((0..<16).map { "w\($0)" }))
        withExtendedLifetime(place) {}
    }
}
