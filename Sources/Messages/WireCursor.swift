#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Protobuf's wire format from front to back, within bytes that outlive it.
struct WireCursor {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var count: Int { bytes.count }
    var isAtEnd: Bool { index == bytes.count }

    /// The next field's tag, if it has one byte; nil at the end, too, which `isAtEnd` tells apart.
    @inline(__always)
    mutating func tag() -> UInt8? {
        guard index < bytes.count, bytes[index] < 0x80 else { return nil }
        defer { index += 1 }
        return bytes[index]
    }

    /// Eight bytes of a number with a fraction.
    mutating func double() -> Double? {
        guard bytes.count - index >= 8 else { return nil }
        defer { index += 8 }
        return Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
    }

    /// A number in base 128.
    @inline(__always)
    mutating func number() -> UInt64? {
        guard index < bytes.count else { return nil }
        let first = bytes[index]
        index += 1
        return first < 0x80 ? UInt64(first) : longNumber(first)
    }

    @inline(__always)
    mutating func number(atMost limit: UInt64) -> UInt64? {
        guard let number = number(), number <= limit else { return nil }
        return number
    }

    private mutating func longNumber(_ first: UInt8) -> UInt64? {
        var value = UInt64(first & 0x7F)
        for shift in stride(from: 7, through: 63, by: 7) {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// What a length stands in front of.
    @inline(__always)
    mutating func piece() -> WireCursor? {
        guard let length = number(), length <= UInt64(bytes.count - index) else { return nil }
        defer { index += Int(length) }
        return WireCursor(UnsafeRawBufferPointer(rebasing: bytes[index..<index + Int(length)]))
    }

    /// All of it.
    var all: [UInt8] { [UInt8](bytes) }

    /// All of it as text; nil if it is not UTF-8, or has a NUL in it.
    @inline(__always)
    func text() -> String? {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return "" }
        guard memchr(start, 0, bytes.count) == nil else { return nil }
        // Mended where it has to be, so that it is something else then; to have it checked instead takes longer.
        let units = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        var text = String(decoding: units, as: UTF8.self)
        let isSame = text.withUTF8 { own in
            own.baseAddress.map { own.count == bytes.count && memcmp($0, start, bytes.count) == 0 } ?? false
        }
        return isSame ? text : nil
    }
}

/// Which fields of a message have come.
struct FieldsSeen {
    private var bits: UInt64 = 0

    /// Whether a field comes for the first time.
    mutating func first(_ field: Int) -> Bool {
        guard field < 64, bits & 1 << field == 0 else { return false }
        bits |= 1 << field
        return true
    }
}
