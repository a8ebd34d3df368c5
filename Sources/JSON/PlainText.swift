/// Where text can stand in a JSON string as it is, found eight bytes at a time.
package enum PlainText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The index of the first byte from `start` on that can't stand in a string as it is: a quote, a backslash or a
    /// control character; the number of bytes if there is none.
    package static func end(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found = zeros(word ^ 0x22 &* ones) | zeros(word ^ 0x5C &* ones) | controls(word)
            // Only the lowest of what is found is certain to be right, and it is what is looked for.
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x22, bytes[index] != 0x5C { index += 1 }
        return index
    }

    /// The high bits of the bytes that are 0.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

    /// The high bits of the bytes below 0x20.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 { (word &- 0x20 &* ones) & ~word & highs }
}
