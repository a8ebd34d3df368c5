internal import Glibc

/// Keys and values of all sequences, in blocks of 16 tokens that a sequence lists in its block table.
///
/// One block holds its tokens for every layer: `[layer][key, value][head][token in block][head dimension]`, floats. The
/// memory is reserved at start but becomes resident only when a block is first used.
final class KVCache {
    static let blockTokens = 16

    let layers: Int
    let heads: Int
    let headDimension: Int
    let blockCount: Int

    private let base: UnsafeMutablePointer<Float>
    private let mappedBytes: Int
    private var free: [Int32]

    /// Reserves memory for `capacityTokens`, rounded up to whole blocks; nil if there is no address space for it.
    init?(layers: Int, heads: Int, headDimension: Int, capacityTokens: Int) {
        self.layers = layers
        self.heads = heads
        self.headDimension = headDimension
        blockCount = max(1, (capacityTokens + Self.blockTokens - 1) / Self.blockTokens)
        let blockFloats = Self.bytesPerToken(layers: layers, heads: heads, headDimension: headDimension) / 4 * 16
        let (bytes, overflow) = blockCount.multipliedReportingOverflow(by: blockFloats * 4)
        guard !overflow, blockCount <= Int(Int32.max) else { return nil }
        mappedBytes = bytes
        let flags = Int32(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
            return nil
        }
        base = memory.bindMemory(to: Float.self, capacity: blockFloats * blockCount)
        // The lowest block is handed out first, so that a lightly used cache stays small.
        free = (0..<Int32(blockCount)).reversed()
    }

    deinit {
        munmap(base, mappedBytes)
    }

    static func bytesPerToken(layers: Int, heads: Int, headDimension: Int) -> Int {
        layers * 2 * heads * headDimension * MemoryLayout<Float>.stride
    }

    var freeBlocks: Int { free.count }

    /// Extends a block table until it covers `tokens` positions; false, and nothing is taken, if too few blocks are free.
    func extend(_ blocks: inout [Int32], toTokens tokens: Int) -> Bool {
        let needed = (tokens + Self.blockTokens - 1) / Self.blockTokens - blocks.count
        guard needed > 0 else { return true }
        guard needed <= free.count else { return false }
        for _ in 0..<needed {
            blocks.append(free.removeLast())
        }
        return true
    }

    /// Gives a sequence's blocks back.
    func release(_ blocks: inout [Int32]) {
        free.append(contentsOf: blocks.reversed())
        blocks.removeAll()
    }

    /// Keys `[16, headDimension]` of one head in one block.
    func keys(layer: Int, block: Int32, head: Int) -> UnsafeMutablePointer<Float> {
        slab(layer: layer, block: block, part: 0, head: head)
    }

    /// Values `[16, headDimension]` of one head in one block.
    func values(layer: Int, block: Int32, head: Int) -> UnsafeMutablePointer<Float> {
        slab(layer: layer, block: block, part: 1, head: head)
    }

    private func slab(layer: Int, block: Int32, part: Int, head: Int) -> UnsafeMutablePointer<Float> {
        let index = ((Int(block) * layers + layer) * 2 + part) * heads + head
        return base + index * (Self.blockTokens * headDimension)
    }
}
