/// Scratch memory for floats, 64-byte aligned, that grows and is never copied.
final class FloatBuffer {
    private(set) var pointer: UnsafeMutablePointer<Float>
    private(set) var capacity: Int

    /// Zero-filled.
    init(capacity: Int = 0) {
        self.capacity = max(capacity, 16)
        pointer = Self.allocate(self.capacity)
    }

    /// A copy of `values`.
    convenience init(_ values: some Collection<Float>) {
        self.init(capacity: values.count)
        for (index, value) in values.enumerated() {
            pointer[index] = value
        }
    }

    deinit {
        pointer.deallocate()
    }

    /// Room for `count` floats; the contents are lost if it grows.
    func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
        if count > capacity {
            pointer.deallocate()
            capacity = count + count / 4
            pointer = Self.allocate(capacity)
        }
        return pointer
    }

    private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
        let floats = raw.bindMemory(to: Float.self, capacity: count)
        floats.initialize(repeating: 0, count: count)
        return floats
    }
}
