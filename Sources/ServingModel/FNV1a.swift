/// The 64-bit hash of Fowler, Noll and Vo: equal in every process, unlike the standard library's.
///
/// It tells requests apart that come from one client; it is no defence against one that wants a collision with itself.
package struct FNV1a: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { combine(byte) }
    }

    /// The same for an array, without asking it for each byte.
    package mutating func combine(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { bytes in
            for byte in bytes { combine(byte) }
        }
    }

    /// Adds a long text: eight bytes at a time, in four chains that the processor follows at once, and its length.
    ///
    /// Another hash than of its bytes one by one.
    package mutating func combine(long bytes: UnsafeRawBufferPointer) {
        var chains = SIMD4<UInt64>(value, ~value, value &+ 1, ~value &+ 1)
        let strides = bytes.count / 32
        for stride in 0..<strides {
            for chain in 0..<4 {
                let word = bytes.loadUnaligned(fromByteOffset: stride * 32 + chain * 8, as: UInt64.self)
                let mixed = (chains[chain] ^ UInt64(littleEndian: word)) &* 0xBF58_476D_1CE4_E5B9
                chains[chain] = mixed ^ mixed >> 32
            }
        }
        for chain in 0..<4 { value = (value ^ chains[chain]) &* 0x94D0_49BB_1331_11EB }
        value ^= value >> 31 ^ UInt64(bytes.count)
        combine(bytes[(strides * 32)...])
    }

    @inline(__always)
    private mutating func combine(_ byte: UInt8) {
        value ^= UInt64(byte)
        value = value &* 0x0000_0100_0000_01B3
    }
}
