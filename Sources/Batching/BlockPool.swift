internal import ServingModel

/// The KV cache's blocks: how many there are and how many are free.
///
/// Which block belongs to whom is the engine's business; batching only counts.
package struct BlockPool: Hashable, Sendable {
    /// Tokens that one block holds.
    package let blockTokens: Int
    package let total: Int
    /// Blocks that an admission must leave free, so that running sequences can grow for a while.
    package let watermark: Int
    package private(set) var free: Int

    init(_ cache: LatencyProfile.KVCache) {
        precondition(cache.blockTokens > 0, "a block must hold a token")
        blockTokens = cache.blockTokens
        total = cache.capacityTokens / cache.blockTokens
        watermark = Int(cache.watermark * Double(total))
        free = total
    }

    /// Blocks that hold `tokens` tokens.
    package func blocks(holding tokens: Int) -> Int {
        (tokens + blockTokens - 1) / blockTokens
    }

    mutating func take(_ count: Int) {
        free -= count
        assert(free >= 0, "more blocks taken than there are")
    }

    mutating func giveBack(_ count: Int) {
        free += count
        assert(free <= total, "more blocks given back than were taken")
    }
}
