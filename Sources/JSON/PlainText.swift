/// Where text can stand in a JSON string as it is, found 64 bytes at a time, and eight towards the end.
package enum PlainText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The index of the first byte from `start` on that can't stand in a string as it is: a quote, a backslash or a
    /// control character; the number of bytes if there is none.
    package static func end(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index + 64 <= bytes.count {
            let words = bytes.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self)
            let found = zeros(words ^ 0x22 &* ones) | zeros(words ^ 0x5C &* ones) | controls(words)
            let halves = found.lowHalf | found.highHalf
            guard halves.lowHalf | halves.highHalf == .zero else { break }
            index += 64
        }
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

    static func isASCII(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        var index = 0
        while index + 8 <= bytes.count {
            guard bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & highs == 0 else { return false }
            index += 8
        }
        return bytes[index...].allSatisfy { $0 < 0x80 }
    }

    /// The high bits of the bytes that are 0.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

    /// The high bits of the bytes below 0x20.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 { (word &- 0x20 &* ones) & ~word & highs }

    @inline(__always)
    private static func zeros(_ words: SIMD8<UInt64>) -> SIMD8<UInt64> { (words &- ones) & ~words & highs }

    @inline(__always)
    private static func controls(_ words: SIMD8<UInt64>) -> SIMD8<UInt64> { (words &- 0x20 &* ones) & ~words & highs }
}
