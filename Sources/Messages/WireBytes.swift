#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Protobuf's wire format, written from front to back.
extension [UInt8] {
    /// Bytes of a number in base 128.
    static func wireSize(_ number: UInt64) -> Int {
        (64 - (number | 1).leadingZeroBitCount + 6) / 7
    }

    mutating func appendWire(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// A field with a number; none for 0, which is what an absent field means.
    mutating func appendWire(_ tag: UInt8, _ number: UInt64) {
        guard number != 0 else { return }
        append(tag)
        appendWire(number)
    }

    /// A field with bytes.
    mutating func appendWire(_ tag: UInt8, bytes: some Collection<UInt8>) {
        append(tag)
        appendWire(UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    /// What such a field takes; its tag has one byte.
    static func wireSize(ofBytes count: Int) -> Int {
        1 + wireSize(UInt64(count)) + count
    }

    /// The same of a text; nothing if it is empty, which is what an absent field means.
    static func wireSize(ofText text: String) -> Int {
        text.isEmpty ? 0 : wireSize(ofBytes: text.utf8.count)
    }

    /// What a field with a number takes; nothing for 0.
    static func wireSize(ofField number: UInt64) -> Int {
        number == 0 ? 0 : 1 + wireSize(number)
    }
}

extension String {
    /// Whether there is a NUL in it, which C's strings can't have.
    var hasNUL: Bool {
        var text = self
        return text.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memchr(start, 0, bytes.count) != nil
        }
    }
}
