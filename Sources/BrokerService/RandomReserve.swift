internal import Glibc

/// Random words from the system, many at a time: one by one, each would be a call into the kernel.
struct RandomReserve: RandomNumberGenerator {
    private static let capacity = 32

    private var words: [UInt64] = []

    mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words = [UInt64](unsafeUninitializedCapacity: Self.capacity) { buffer, count in
            // 256 bytes is the most that is given at once.
            let size = Self.capacity * MemoryLayout<UInt64>.stride
            count = getentropy(buffer.baseAddress, size) == 0 ? Self.capacity : 0
        }
        guard let word = words.popLast() else {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        return word
    }
}
