import AccessControl
import Sessions
import Testing
import ZeroMQ

/// A process has one key checker for its one context, so these tests take turns.
@Suite("Keys", .serialized, .timeLimit(.minutes(2)))
struct SecurityTests {}

/// A table, the checker that asks it, and the broker's keys of one endpoint.
struct Guarded {
    let table = AccessTable()
    let server = CurveKeyPair()
    let role: Role
    let checker: ZAPHandler

    init(_ role: Role = .frontend) throws {
        self.role = role
        let table = table
        checker = ZAPHandler { question in
            Role(rawValue: question.domain).flatMap { table.owner(of: question.key, as: $0)?.name }
        }
        try checker.start()
    }

    var endpoint: EndpointSecurity { EndpointSecurity(keys: server, role: role, table: table) }

    func peer(_ own: CurveKeyPair = CurveKeyPair()) -> PeerKeys { PeerKeys(own: own, server: server.publicKey) }

    /// Sets the whole registry.
    func register(_ people: [(name: String, role: Role, keys: PeerKeys)], revoked: Set<String> = []) throws {
        table.replace(
            try AccessRegistry(
                people.map { name, role, keys in
                    Principal(
                        name: name,
                        role: role,
                        tenant: role.hasTenant ? "of-\(name)" : nil,
                        proof: .curve(keys.own.publicKey),
                        created: 1,
                        revoked: revoked.contains(name) ? 2 : nil
                    )
                }
            )
        )
    }
}
