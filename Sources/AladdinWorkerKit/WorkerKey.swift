internal import AccessControl
package import ZeroMQ

/// The key by which a broker knows a worker, and the worker the broker.
public struct WorkerKey: Sendable {
    package let keys: PeerKeys

    package init(_ keys: PeerKeys) {
        self.keys = keys
    }

    /// Reads a file that `aladdin keys new NAME --role worker` wrote.
    ///
    /// - Throws: an error that says what is wrong with the file; others must not be able to read it, for instance.
    public init(contentsOfFile path: String) throws {
        let file: SecretKeyFile
        do throws(AccessError) {
            file = try SecretKeyFile(text: ProtectedFile.readSecret(path))
        } catch {
            throw AccessError(error.description.contains(path) ? error.description : "\(path): \(error)")
        }
        // Told here, since the broker answers a wrong key with silence.
        if let role = file.role, role != .worker {
            throw AccessError("\(path) has a key for the role \(role); here one for the role worker is needed")
        }
        guard let server = file.server else { throw AccessError("\(path) does not have the broker's server_key") }
        keys = PeerKeys(own: file.keys, server: server)
    }
}
