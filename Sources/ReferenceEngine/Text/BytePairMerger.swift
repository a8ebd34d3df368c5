/// Byte-pair merging (Sennrich et al., 2016): joins neighbouring tokens, the earliest learnt pair first, the leftmost of
/// equals, until no pair is known.
///
/// A piece of n bytes takes O(n log n): neighbours are linked, candidate pairs wait in a heap.
struct BytePairMerger {
    struct Merge {
        var rank: Int32
        var token: Int32
    }

    /// By `left << 32 | right`.
    private var merges: [UInt64: Merge] = [:]

    mutating func add(left: Int32, right: Int32, rank: Int32, token: Int32) {
        let key = Self.key(left, right)
        // The first of two equal merges counts.
        if merges[key] == nil { merges[key] = Merge(rank: rank, token: token) }
    }

    func merge(_ tokens: [Int32]) -> [Int32] {
        guard tokens.count > 1 else { return tokens }
        var chain = Chain(tokens: tokens)
        var heap = CandidateHeap()
        for index in 0..<tokens.count - 1 {
            push(index, of: chain, to: &heap)
        }
        while let candidate = heap.pop() {
            let left = candidate.position
            let right = chain.next[left]
            // Stale if either side has been merged since.
            guard right < tokens.count, !chain.isGone[left],
                let merge = merges[Self.key(chain.tokens[left], chain.tokens[right])], merge.rank == candidate.rank
            else { continue }
            chain.join(left, token: merge.token)
            let previous = chain.previous[left]
            if previous >= 0 { push(previous, of: chain, to: &heap) }
            push(left, of: chain, to: &heap)
        }
        return tokens.indices.compactMap { chain.isGone[$0] ? nil : chain.tokens[$0] }
    }

    private func push(_ index: Int, of chain: Chain, to heap: inout CandidateHeap) {
        let right = chain.next[index]
        guard right < chain.tokens.count else { return }
        if let merge = merges[Self.key(chain.tokens[index], chain.tokens[right])] {
            heap.push(CandidateHeap.Candidate(rank: merge.rank, position: index))
        }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}

/// The tokens of a piece as a linked list over their first positions.
private struct Chain {
    var tokens: [Int32]
    var next: [Int]
    var previous: [Int]
    var isGone: [Bool]

    init(tokens: [Int32]) {
        self.tokens = tokens
        next = (0..<tokens.count).map { $0 + 1 }
        previous = (0..<tokens.count).map { $0 - 1 }
        isGone = [Bool](repeating: false, count: tokens.count)
    }

    /// Replaces the token at `left` and its successor by `token`.
    mutating func join(_ left: Int, token: Int32) {
        let right = next[left]
        tokens[left] = token
        isGone[right] = true
        next[left] = next[right]
        if next[left] < tokens.count { previous[next[left]] = left }
    }
}

/// A binary heap of pairs that could merge, ordered by rank, then position.
private struct CandidateHeap {
    struct Candidate: Comparable {
        var rank: Int32
        var position: Int

        static func < (left: Candidate, right: Candidate) -> Bool {
            (left.rank, left.position) < (right.rank, right.position)
        }
    }

    private var items: [Candidate] = []

    mutating func push(_ candidate: Candidate) {
        items.append(candidate)
        var index = items.count - 1
        while index > 0, items[index] < items[(index - 1) / 2] {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func pop() -> Candidate? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        if !items.isEmpty {
            items[0] = last
            var index = 0
            while true {
                var smallest = index
                for child in [2 * index + 1, 2 * index + 2] where child < items.count {
                    if items[child] < items[smallest] { smallest = child }
                }
                if smallest == index { break }
                items.swapAt(index, smallest)
                index = smallest
            }
        }
        return first
    }
}
