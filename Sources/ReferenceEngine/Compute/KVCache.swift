internal import DequeModule
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

    /// Which blocks hold beginnings of prompts, whether or not somebody uses them now.
    private var prefixes = BlockPrefixes()
    /// Sequences that list each block.
    private var users: [Int32]
    /// Blocks that nobody uses and that hold a beginning, with the stamp of their release; the longest ago first, and
    /// among them blocks that have been taken up again since.
    private var kept: Deque<(block: Int32, stamp: UInt64)> = []
    /// When a block that nobody uses was released.
    private var stamps: [Int32: UInt64] = [:]
    private var releases: UInt64 = 0

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
        users = Array(repeating: 0, count: blockCount)
    }

    deinit {
        munmap(base, mappedBytes)
    }

    static func blocks(holding tokens: Int) -> Int { (tokens + blockTokens - 1) / blockTokens }

    var blockBytes: Int {
        Self.bytesPerToken(layers: layers, heads: heads, headDimension: headDimension) * Self.blockTokens
    }

    /// All of a block, of every layer.
    func bytes(of block: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: UnsafeRawPointer(base) + Int(block) * blockBytes, count: blockBytes)
    }

    /// Overwrites a block that nobody shares.
    func fill(_ block: Int32, from bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == blockBytes, "a block is filled as a whole")
        let target = UnsafeMutableRawPointer(base) + Int(block) * blockBytes
        UnsafeMutableRawBufferPointer(start: target, count: blockBytes).copyMemory(from: bytes)
    }

    static func bytesPerToken(layers: Int, heads: Int, headDimension: Int) -> Int {
        layers * 2 * heads * headDimension * MemoryLayout<Float>.stride
    }

    /// Blocks that nobody uses; some may hold a beginning still.
    var freeBlocks: Int { free.count + stamps.count }

    /// Extends a block table until it covers `tokens` positions; false, and nothing is taken, if too few blocks are free.
    func extend(_ blocks: inout [Int32], toTokens tokens: Int) -> Bool {
        let needed = Self.blocks(holding: tokens) - blocks.count
        guard needed > 0 else { return true }
        guard needed <= freeBlocks else { return false }
        for _ in 0..<needed {
            let block = free.popLast() ?? takeKept()
            users[Int(block)] = 1
            blocks.append(block)
        }
        return true
    }

    /// Gives a sequence's blocks back; those that hold beginnings are the last to be used for something else, the ends of
    /// prompts before their beginnings.
    func release(_ blocks: inout [Int32]) {
        for block in blocks.reversed() {
            users[Int(block)] -= 1
            guard users[Int(block)] == 0 else { continue }
            if prefixes.contains(block) {
                releases += 1
                stamps[block] = releases
                kept.append((block, releases))
            } else {
                free.append(block)
            }
        }
        blocks.removeAll()
    }

    /// Fills a block table with the blocks that hold the beginning of these tokens.
    ///
    /// They are shared: nobody writes to them again.
    ///
    /// - Returns: tokens that they hold.
    func share(_ blocks: inout [Int32], beginning tokens: ArraySlice<Int32>) -> Int {
        precondition(blocks.isEmpty, "a table that is filled has its beginning")
        blocks = prefixes.blocks(of: tokens)
        for block in blocks {
            users[Int(block)] += 1
            stamps[block] = nil
        }
        return blocks.count * Self.blockTokens
    }

    /// Notes that a block table's first blocks hold these tokens, in full.
    func note(_ blocks: [Int32], holding tokens: ArraySlice<Int32>) {
        prefixes.note(blocks[...], holding: tokens)
    }

    /// The block that was released longest ago of those that hold a beginning; there is one.
    private func takeKept() -> Int32 {
        while let (block, stamp) = kept.popFirst() {
            guard stamps[block] == stamp else { continue }
            stamps[block] = nil
            prefixes.forget(block)
            return block
        }
        preconditionFailure("a block was counted as free that is not there")
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
