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

    @inline(__always)
    private mutating func combine(_ byte: UInt8) {
        value ^= UInt64(byte)
        value = value &* 0x0000_0100_0000_01B3
    }
}
