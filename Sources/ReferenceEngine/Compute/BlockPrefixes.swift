internal import ServingModel

/// Which blocks of a KV cache hold which beginnings of prompts.
///
/// A block is found by a hash of all tokens up to its end, and taken only if its own tokens are those that are asked for
/// and the block before it was taken for the same reason: no collision of hashes can pass another prompt's keys off as
/// this one's.
struct BlockPrefixes {
    private struct Entry {
        var block: Int32
        /// The block that precedes it in its prompt; -1 for the first.
        var previous: Int32
        var tokens: [Int32]
    }

    private var entries: [UInt64: Entry] = [:]
    private var hashes: [Int32: UInt64] = [:]

    /// Whether some prompt's beginning is found by this block.
    func contains(_ block: Int32) -> Bool { hashes[block] != nil }

    /// Hashes of the whole blocks of these tokens, each of everything up to the block's end.
    static func hashes(of tokens: ArraySlice<Int32>) -> [UInt64] {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        var result: [UInt64] = []
        result.reserveCapacity(tokens.count / KVCache.blockTokens)
        for (position, token) in tokens.enumerated() {
            state = (state ^ UInt64(UInt32(bitPattern: token))) &* 0xBF58_476D_1CE4_E5B9
            state ^= state >> 32
            if (position + 1).isMultiple(of: KVCache.blockTokens) { result.append(state) }
        }
        return result
    }

    /// The blocks that hold the beginning of these tokens, as many as follow on one another.
    func blocks(of tokens: ArraySlice<Int32>) -> [Int32] {
        var found: [Int32] = []
        for (index, hash) in Self.hashes(of: tokens).enumerated() {
            let start = tokens.startIndex + index * KVCache.blockTokens
            guard let entry = entries[hash], entry.previous == found.last ?? -1,
                entry.tokens[...] == tokens[start..<start + KVCache.blockTokens]
            else { break }
            found.append(entry.block)
        }
        return found
    }

    /// Notes whose keys and values blocks hold now: those that are noted already, or whose beginning is held by other
    /// blocks, stay as they are.
    mutating func note(_ blocks: ArraySlice<Int32>, holding tokens: ArraySlice<Int32>) {
        var previous: Int32 = -1
        for (index, hash) in Self.hashes(of: tokens).enumerated() where index < blocks.count {
            let block = blocks[blocks.startIndex + index]
            let start = tokens.startIndex + index * KVCache.blockTokens
            if let known = entries[hash] {
                // Another block holds the same: what follows here could not be found by way of it.
                guard known.block == block else { return }
            } else {
                guard hashes[block] == nil else { return }
                let own = Array(tokens[start..<start + KVCache.blockTokens])
                entries[hash] = Entry(block: block, previous: previous, tokens: own)
                hashes[block] = hash
            }
            previous = block
        }
    }

    /// Forgets what a block held, since it is to hold something else.
    mutating func forget(_ block: Int32) {
        guard let hash = hashes.removeValue(forKey: block) else { return }
        entries[hash] = nil
    }
}
