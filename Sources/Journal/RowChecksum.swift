/// A checksum over what a row holds: SQLite's own check sees damaged pages, not a changed byte within a value.
///
/// FNV-1a over words of eight bytes. Every step is a bijection of the state, so a change within one word always shows.
struct RowChecksum {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ word: UInt64) {
        value = (value ^ word) &* 0x0000_0100_0000_01B3
    }

    mutating func combine(_ number: Int) {
        combine(UInt64(bitPattern: Int64(number)))
    }

    mutating func combine(_ number: Int?) {
        combine(number == nil ? 0 : 1)
        if let number { combine(number) }
    }

    mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    mutating func combine(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { combine($0) }
    }

    /// With the length, so that what stands side by side can't be taken for each other.
    mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        combine(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        guard offset < bytes.count else { return }
        var last: UInt64 = 0
        for index in offset..<bytes.count { last = last << 8 | UInt64(bytes[index]) }
        combine(last)
    }

    /// As SQLite stores it.
    var stored: Int64 { Int64(bitPattern: value) }
}
