internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import ServingModel
internal import ZeroMQ

/// The key by which a broker knows this process.
struct KeyOptions: ParsableArguments {
    @Option(help: "File with the key that the broker wants, made by `aladdin keys new`. (default: none)")
    var key: String?

    @Option(help: "The broker's public key for this endpoint, 40 characters; instead of the one in the key's file.")
    var serverKey: String?

    /// - Throws: `AccessError` or `ValidationError` that says what is wrong with the file.
    func keys(for role: Role) throws -> PeerKeys? {
        let server = try Setting.resolve(serverKey, "server-key")
        guard let path = try Setting.resolve(key, "key") else {
            guard server == nil else { throw ValidationError("--server-key is of no use without --key FILE") }
            return nil
        }
        return try Self.keys(path, server, for: role)
    }

    func clientKey(for role: Role) throws -> ClientKey? {
        try keys(for: role).map { ClientKey($0) }
    }

    static func clientKey(_ path: String?, for role: Role) throws -> ClientKey? {
        try path.map { ClientKey(try keys($0, nil, for: role)) }
    }

    private static func keys(_ path: String, _ server: String?, for role: Role) throws -> PeerKeys {
        let text = try ProtectedFile.readSecret(path)
        let file: SecretKeyFile
        do throws(AccessError) {
            file = try SecretKeyFile(text: text)
        } catch {
            throw AccessError("\(path): \(error)")
        }
        // Told here, since the broker answers a wrong key with silence.
        if let actual = file.role, actual != role {
            throw AccessError("\(path) has a key for the role \(actual); here one for the role \(role) is needed")
        }
        guard let server else {
            guard let key = file.server else {
                throw AccessError("\(path) has no server_key; give --server-key")
            }
            return PeerKeys(own: file.keys, server: key)
        }
        guard let key = CurveKey(server) else {
            throw ValidationError("--server-key must be 40 characters of Z85, as `aladdin keys list` prints them")
        }
        return PeerKeys(own: file.keys, server: key)
    }

    /// Why a broker does not answer, if it is for want of the right key: brokers are silent about that.
    static func diagnosis(of status: Status, at endpoint: String, _ key: ClientKey?) -> String? {
        let stranger = PeerKeys(own: CurveKeyPair(), server: CurveKeyPair().publicKey)
        guard status.isUnanswered,
            let outcome = try? HandshakeProbe.outcome(at: endpoint, with: key?.keys ?? stranger)
        else { return nil }
        guard key != nil else {
            return outcome == .silence
                ? nil : "somebody listens at \(endpoint); if that is a broker with keys, give --key FILE"
        }
        return switch outcome {
        case .refused: "the broker at \(endpoint) refuses this key: it is not known there, revoked, or of another role"
        case .failed: "the broker at \(endpoint) has another server key than the one given, or wants no keys"
        case .accepted, .silence: nil
        }
    }
}

extension Status {
    /// Whether it says that no broker answered; one that does has a reason to give.
    var isUnanswered: Bool { code == .unavailable && reason == .none }
}
