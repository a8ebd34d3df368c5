package import ServingModel

/// Which worker holds which beginnings of prompts, as far as can be told from where queries were sent.
///
/// For each worker that keeps prefixes there is a `PrefixCache` as large as its KV cache, and for each block the workers
/// that have it. It is a guess: a worker may have had less room, or more. What a wrong guess costs is one prompt computed
/// in full.
package struct PrefixHoldings: Sendable {
    /// A worker that holds the beginning of a prompt.
    package struct Match: Hashable, Sendable {
        package let worker: WorkerID
        /// Leading blocks of the prompt.
        package let blocks: Int
    }

    /// Share of a KV cache that prefixes are believed to have: the rest is answers, and prompts on their way in.
    private static let share = 0.8

    private var caches: [WorkerID: PrefixCache] = [:]
    private var capacities: [WorkerID: Int] = [:]
    /// The workers that hold each block, the latest last.
    private var holders: [UInt64: [WorkerID]] = [:]

    package var isEmpty: Bool { caches.isEmpty }

    mutating func add(_ worker: WorkerID, capacityTokens: Int) {
        guard caches[worker] == nil else { return }
        caches[worker] = PrefixCache()
        capacities[worker] = Int(Double(capacityTokens) * Self.share)
    }

    mutating func remove(_ worker: WorkerID) {
        guard var cache = caches.removeValue(forKey: worker) else { return }
        capacities[worker] = nil
        for hash in cache.trim(toTokens: 0) { forget(hash, worker) }
    }

    /// Notes that a worker will have computed these blocks.
    mutating func use(_ blocks: [UInt64], blockTokens: Int, on worker: WorkerID) {
        guard let limit = capacities[worker] else { return }
        for hash in blocks where caches[worker]?.contains(hash) == false {
            holders[hash, default: []].append(worker)
        }
        caches[worker]?.use(blocks, blockTokens: blockTokens)
        for hash in caches[worker]?.trim(toTokens: limit) ?? [] { forget(hash, worker) }
    }

    /// How many leading blocks of a prompt a worker holds.
    package func blocks(of chain: [UInt64], on worker: WorkerID) -> Int {
        caches[worker]?.match(chain) ?? 0
    }

    /// The workers that hold the most of a prompt, the longest match first, the latest of equals.
    ///
    /// - Parameter count: how many to look for.
    /// - Complexity: O(log blocks + count · holders), and a look-up more for each block by which the matches differ.
    package func longest(_ chain: [UInt64], count: Int) -> [Match] {
        var matches: [Match] = []
        var depth = deepest(chain)
        while depth > 0, matches.count < count {
            let there = holders[chain[depth - 1]] ?? []
            // Who holds a block holds those before it: only where there are more of them is one new.
            if there.count > matches.count {
                for worker in there.reversed() where matches.count < count {
                    guard !matches.contains(where: { $0.worker == worker }) else { continue }
                    matches.append(Match(worker: worker, blocks: depth))
                }
            }
            depth -= 1
        }
        return matches
    }

    /// How many leading blocks some worker holds.
    private func deepest(_ chain: [UInt64]) -> Int {
        guard let first = chain.first, holders[first] != nil else { return 0 }
        var held = 1
        var missing = chain.count + 1
        while missing - held > 1 {
            let middle = (held + missing) / 2
            if holders[chain[middle - 1]] != nil { held = middle } else { missing = middle }
        }
        return held
    }

    private mutating func forget(_ hash: UInt64, _ worker: WorkerID) {
        guard let position = holders[hash]?.firstIndex(of: worker) else { return }
        if holders[hash]?.count == 1 { holders[hash] = nil } else { holders[hash]?.remove(at: position) }
    }
}
