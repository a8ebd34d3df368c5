/// Which beginnings of prompts a worker's KV cache still holds, the least recently used given up first.
///
/// A prompt is a chain of blocks; each block's hash stands for everything up to its end, so that equal hashes mean equal
/// beginnings. A chain is used from its last block to its first: a block is older than the one before it and is given up
/// earlier, so that what is held of a chain is always a beginning of it.
///
/// Hashes only: whoever holds the memory keeps the same order. Batching has one for each worker, and the scheduler a
/// guess of it.
package struct PrefixCache: Hashable, Sendable {
    private struct Node: Hashable {
        var hash: UInt64
        var tokens: Int
        /// Places in `nodes`; 0 is the list's end on both sides.
        var newer = 0
        var older = 0
    }

    /// Tokens of all blocks that are held.
    package private(set) var tokens = 0
    private var places: [UInt64: Int] = [:]
    /// A ring in the order of use: place 0 is no block, newer than the newest and older than the oldest.
    private var nodes = [Node(hash: 0, tokens: 0)]
    private var unused: [Int] = []

    package init() {}

    package var isEmpty: Bool { places.isEmpty }
    package var count: Int { places.count }

    package func contains(_ hash: UInt64) -> Bool {
        places[hash] != nil
    }

    /// How many of the chain's leading blocks are held.
    ///
    /// - Complexity: O(log blocks), since what is held is a beginning.
    package func match(_ chain: [UInt64]) -> Int {
        guard let first = chain.first, places[first] != nil else { return 0 }
        var held = 1
        var missing = chain.count + 1
        while missing - held > 1 {
            let middle = (held + missing) / 2
            if places[chain[middle - 1]] != nil { held = middle } else { missing = middle }
        }
        return held
    }

    /// Notes that a chain was computed or used.
    ///
    /// - Parameter blockTokens: tokens of each of its blocks, at least 1.
    package mutating func use(_ chain: some BidirectionalCollection<UInt64>, blockTokens: Int) {
        for hash in chain.reversed() {
            if let place = places[hash] {
                detach(place)
                attach(place)
            } else {
                insert(hash, tokens: max(1, blockTokens))
            }
        }
    }

    /// Gives up what was used least recently until at most so many tokens are left.
    ///
    /// - Returns: the hashes that went.
    @discardableResult
    package mutating func trim(toTokens limit: Int) -> [UInt64] {
        var gone: [UInt64] = []
        while tokens > limit, nodes[0].newer != 0 {
            let oldest = nodes[0].newer
            gone.append(nodes[oldest].hash)
            places[nodes[oldest].hash] = nil
            tokens -= nodes[oldest].tokens
            detach(oldest)
            unused.append(oldest)
        }
        return gone
    }

    private mutating func insert(_ hash: UInt64, tokens count: Int) {
        let place: Int
        if let free = unused.popLast() {
            place = free
            nodes[place] = Node(hash: hash, tokens: count)
        } else {
            place = nodes.count
            nodes.append(Node(hash: hash, tokens: count))
        }
        places[hash] = place
        tokens += count
        attach(place)
    }

    /// Makes a block the newest.
    private mutating func attach(_ place: Int) {
        let newest = nodes[0].older
        nodes[place].older = newest
        nodes[place].newer = 0
        nodes[newest].newer = place
        nodes[0].older = place
    }

    private mutating func detach(_ place: Int) {
        let node = nodes[place]
        nodes[node.older].newer = node.newer
        nodes[node.newer].older = node.older
    }
}
