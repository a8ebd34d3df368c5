internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import ZeroMQ

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Shows who may do what, and the broker's public keys. Nothing secret is printed."
    )

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var location: KeysLocation

    func run() async throws {
        let directory = try location.existingDirectory()
        let registry = try directory.registry()
        let server = try directory.serverKeys()
        guard !json else {
            let object: [String: Any] = [
                "principals": registry.principals.map(\.object),
                "server_keys": Dictionary(uniqueKeysWithValues: server.map { ($0.rawValue, "\($1.publicKey)") }),
            ]
            return Terminal.write(try Terminal.json(object) + "\n")
        }
        let headings = ["NAME", "ROLE", "TENANT", "STATE", "EXPIRES", "PUBLIC KEY"]
        let principals = Terminal.table([headings] + registry.principals.map(\.row))
        let rows = Role.endpoints.map { [$0.rawValue, server[$0].map { "\($0.publicKey)" } ?? ""] }
        let endpoints = Terminal.table([["ENDPOINT", "THE BROKER'S PUBLIC KEY"]] + rows)
        Terminal.write("\(principals)\n\n\(endpoints)\n")
    }
}

extension Principal {
    private var state: String {
        if isRevoked { return "revoked" }
        return isActive(at: Int(Date().timeIntervalSince1970)) ? "active" : "expired"
    }

    private var tenantText: String { role.hasTenant ? tenant ?? "(any)" : "" }

    fileprivate var row: [String] {
        [name, role.rawValue, tenantText, state, expires.map(KeyExpiry.text) ?? "never", publicKeyText ?? ""]
    }

    fileprivate var object: [String: Any] {
        var object: [String: Any] = [
            "name": name, "role": role.rawValue, "state": state, "created_unix": created,
        ]
        if let tenant { object["tenant"] = tenant }
        if let revoked { object["revoked_unix"] = revoked }
        if let expires { object["expires_unix"] = expires }
        if let publicKeyText { object["public_key"] = publicKeyText }
        return object
    }

    private var publicKeyText: String? {
        if case .curve(let key) = proof { "\(key)" } else { nil }
    }
}
