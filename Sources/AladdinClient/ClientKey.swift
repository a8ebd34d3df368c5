internal import AccessControl
package import ZeroMQ

/// The key by which a broker knows a client, and the client the broker.
public struct ClientKey: Sendable {
    package let keys: PeerKeys

    package init(_ keys: PeerKeys) {
        self.keys = keys
    }

    /// Reads a file that `aladdin keys new NAME --role frontend` wrote.
    ///
    /// - Throws: an error that says what is wrong with the file; others must not be able to read it, for instance.
    public init(contentsOfFile path: String) throws {
        let file = try SecretKeyFile(text: ProtectedFile.readSecret(path))
        guard let server = file.server else { throw AccessError("\(path) does not have the broker's server_key") }
        keys = PeerKeys(own: file.keys, server: server)
    }
}
