internal import CSodium

/// A secret that a client of the gateway sends with every request, as a bearer token.
///
/// 256 random bits: there is nothing to guess, so one round of SHA-256 is enough to keep a stolen registry from being
/// of use, and no salt is needed.
package struct APIKey: Sendable, CustomStringConvertible, CustomReflectable {
    private static let prefix = "aladdin-"
    private static let randomBytes = 32

    /// The key itself, to be shown once.
    package let text: String

    package init() {
        let random = (0..<Self.randomBytes).map { _ in UInt8(truncatingIfNeeded: randombytes_random()) }
        text = Self.prefix + Hexadecimal.text(random)
    }

    package var digest: APIKeyDigest { APIKeyDigest(of: text) }

    package var description: String { "APIKey(hidden)" }

    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The SHA-256 of an API key: what the registry keeps of it.
package struct APIKeyDigest: Hashable, Sendable {
    static let byteCount = 32

    let bytes: [UInt8]

    package init(of text: String) {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        let text = Array(text.utf8)
        crypto_hash_sha256(&digest, text, UInt64(text.count))
        bytes = digest
    }

    /// Reads 64 hexadecimal digits.
    package init?(hexadecimal text: String) {
        guard let bytes = Hexadecimal.bytes(text), bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    package var hexadecimal: String { Hexadecimal.text(bytes) }

    /// Compares in a time that does not depend on where they differ.
    package func matches(_ other: APIKeyDigest) -> Bool {
        sodium_memcmp(bytes, other.bytes, Self.byteCount) == 0
    }
}

enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// - Returns: nil unless there are pairs of lower-case digits and nothing else.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
