internal import CEngine

/// Memory for what a call passes to a plug-in: it lasts until `free`, which comes after the call.
final class CallMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    /// A copy of an array; NULL for an empty one.
    func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        copy.initialize(from: elements, count: elements.count)
        blocks.append(UnsafeMutableRawPointer(copy))
        return UnsafePointer(copy)
    }

    /// A copy of a text, with a zero byte behind it.
    func text(_ string: String) -> aladdin_text {
        let bytes = Array(string.utf8) + [0]
        let copy = UnsafeRawPointer(array(bytes))?.assumingMemoryBound(to: CChar.self)
        return aladdin_text(bytes: copy, size: bytes.count - 1)
    }

    func text(_ string: String?) -> UnsafePointer<CChar>? {
        string.flatMap { text($0).bytes }
    }

    func free() {
        for block in blocks { block.deallocate() }
        blocks.removeAll()
    }
}
