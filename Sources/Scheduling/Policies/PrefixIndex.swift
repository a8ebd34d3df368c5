package import ServingModel

/// Which workers have been sent which beginnings of prompts: what their prefix caches may hold.
///
/// A guess from the scheduler's own decisions, as routers make it that hear nothing from the engines' caches. It is a
/// radix tree kept flat: a node's key is the hash of all blocks up to it, so that a prompt is a path of look-ups.
///
/// It forgets in two generations: when the younger is full the older one goes, and what was used since has moved to the
/// younger. That is least-recently-used to within half the capacity, without a list to keep in order.
package struct PrefixIndex: Sendable {
    /// Blocks that llm-d's scorer looks at: longer prompts are told apart well enough by their beginnings.
    package static let maximumBlocks = 256

    /// The workers that hold each prefix, the latest last.
    private var younger: [UInt64: [WorkerID]] = [:]
    private var older: [UInt64: [WorkerID]] = [:]
    private let capacity: Int

    /// - Parameter capacity: blocks to remember at most, over all workers' common tree.
    package init(capacity: Int = 1 << 18) {
        self.capacity = max(2, capacity)
    }

    package var isEmpty: Bool { younger.isEmpty && older.isEmpty }

    /// Notes that a worker will have computed these blocks.
    ///
    /// - Complexity: O(blocks · workers that hold the same).
    package mutating func insert(_ blocks: [UInt64], on worker: WorkerID) {
        var key = Self.root
        for block in blocks.prefix(Self.maximumBlocks) {
            key = Self.child(of: key, block)
            var holders = younger[key] ?? older[key] ?? []
            if holders.last != worker {
                holders.removeAll { $0 == worker }
                holders.append(worker)
            }
            younger[key] = holders
        }
        guard younger.count >= capacity / 2 else { return }
        older = younger
        younger = [:]
    }

    /// How much of a prompt each worker holds, as a share of its blocks: the longest match first, the latest of equals.
    ///
    /// Workers that hold nothing are not listed; those that have left may be.
    ///
    /// - Complexity: O(blocks + matches²), but for prefixes that were forgotten on the way.
    package func matches(of blocks: [UInt64]) -> [(worker: WorkerID, share: Double)] {
        let length = min(blocks.count, Self.maximumBlocks)
        guard length > 0, !isEmpty else { return [] }
        var path: [[WorkerID]] = []
        var key = Self.root
        for block in blocks.prefix(length) {
            key = Self.child(of: key, block)
            guard let holders = younger[key] ?? older[key] else { break }
            path.append(holders)
        }
        var matches: [(worker: WorkerID, share: Double)] = []
        for (depth, holders) in path.enumerated().reversed() where holders.count > matches.count {
            // Who holds a prefix holds its beginnings: only a node with more holders has new ones.
            for worker in holders.reversed() where !matches.contains(where: { $0.worker == worker }) {
                matches.append((worker, Double(depth + 1) / Double(length)))
            }
        }
        return matches
    }

    private static let root: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// The key of the node that follows a prefix.
    private static func child(of key: UInt64, _ block: UInt64) -> UInt64 {
        var mixed = (key ^ block) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= mixed >> 29
        mixed = (mixed &+ key) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 32)
    }
}

extension PrefixIndex {
    /// The share of a prompt that the worker in each slot holds; empty if none holds any.
    package func shares(of blocks: [UInt64], in view: ClusterView) -> [Double] {
        let matches = matches(of: blocks)
        guard !matches.isEmpty else { return [] }
        var shares = [Double](repeating: 0, count: view.workers.count)
        for match in matches {
            if let slot = view.slot(of: match.worker) { shares[slot] = match.share }
        }
        return shares
    }
}
