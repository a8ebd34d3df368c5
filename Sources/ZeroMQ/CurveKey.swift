internal import CZeroMQ

/// A public CURVE key: 32 bytes, 40 characters as text (Z85, ZeroMQ's RFC 32).
package struct CurveKey: Hashable, Sendable, CustomStringConvertible {
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// - Returns: nil unless there are exactly 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads the text form.
    ///
    /// - Returns: nil unless it is 40 characters of Z85 that stand for 32 bytes.
    package init?(_ text: String) {
        guard let bytes = Z85.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The text form.
    package var description: String { Z85.encode(bytes) }
}

/// A secret CURVE key; neither printing nor dumping it shows it.
package struct CurveSecretKey: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    package init?(_ text: String) {
        guard let bytes = Z85.decode(text), bytes.count == CurveKey.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The text form, for the key's file and nothing else.
    package func reveal() -> String { Z85.encode(bytes) }

    package var description: String { "CurveSecretKey(hidden)" }

    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Both halves of a key.
package struct CurveKeyPair: Hashable, Sendable {
    package let publicKey: CurveKey
    package let secretKey: CurveSecretKey

    /// A new pair, from the kernel's random numbers.
    package init() {
        var publicText = [CChar](repeating: 0, count: Z85.terminatedKeyLength)
        var secretText = [CChar](repeating: 0, count: Z85.terminatedKeyLength)
        // ENOTSUP, for a libzmq built without CURVE, is the only refusal there is.
        guard zmq_curve_keypair(&publicText, &secretText) == 0, let publicKey = CurveKey(Z85.text(publicText)),
            let secretKey = CurveSecretKey(Z85.text(secretText))
        else { fatalError("libzmq makes no CURVE keys: \(ZeroMQError.last("curve_keypair"))") }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// The pair of a secret key.
    package init?(secretKey: CurveSecretKey) {
        var publicText = [CChar](repeating: 0, count: Z85.terminatedKeyLength)
        guard zmq_curve_public(&publicText, secretKey.reveal()) == 0, let publicKey = CurveKey(Z85.text(publicText))
        else { return nil }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}

/// What a peer needs to get in: its own keys, and the key by which it knows the broker.
package struct PeerKeys: Hashable, Sendable {
    package var own: CurveKeyPair
    package var server: CurveKey

    package init(own: CurveKeyPair, server: CurveKey) {
        self.own = own
        self.server = server
    }
}

/// Binary data as text, as in ZeroMQ's RFC 32, for keys only.
enum Z85 {
    static let keyLength = 40
    static let terminatedKeyLength = keyLength + 1

    /// - Returns: nil for anything but the one text that `encode` makes of 32 bytes.
    static func decode(_ text: String) -> [UInt8]? {
        // libzmq reads up to the zero byte and looks other characters up in a table of 96.
        guard text.utf8.count == keyLength, text.utf8.allSatisfy({ (0x21...0x7D).contains($0) }) else { return nil }
        var bytes = [UInt8](repeating: 0, count: CurveKey.byteCount)
        guard zmq_z85_decode(&bytes, text) != nil, encode(bytes) == text else { return nil }
        return bytes
    }

    static func encode(_ bytes: [UInt8]) -> String {
        precondition(bytes.count == CurveKey.byteCount, "a key has 32 bytes")
        var text = [CChar](repeating: 0, count: terminatedKeyLength)
        guard zmq_z85_encode(&text, bytes, bytes.count) != nil else { fatalError("zmq_z85_encode failed") }
        return self.text(text)
    }

    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix(keyLength).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
