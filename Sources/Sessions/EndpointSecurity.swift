package import AccessControl
package import ZeroMQ

/// How an endpoint knows its peers.
package struct EndpointSecurity: Sendable {
    /// The endpoint's own keys.
    package var keys: CurveKeyPair
    /// What a peer's key must be good for; ZAP's domain bears its name.
    package var role: Role
    package var table: AccessTable

    package init(keys: CurveKeyPair, role: Role, table: AccessTable) {
        self.keys = keys
        self.role = role
        self.table = table
    }

    var socketSecurity: SocketSecurity { .server(keys.secretKey, domain: role.rawValue) }
}
