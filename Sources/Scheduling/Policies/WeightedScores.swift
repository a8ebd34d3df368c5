package import ServingModel

/// Filter, score, pick: the worker with the highest weighted sum of scores, as llm-d's endpoint picker has it.
///
/// Filter: workers whose KV cache and context length can hold the query at all. Scores, each from 0 to 1:
/// - prefix: the share of the prompt that the worker was sent before;
/// - queue: 1 for the fewest waiting queries of all, 0 for the most, linear between; 1 for all if they are equal;
/// - KV cache: the share that is free;
/// - no hit: for a prompt that no worker has seen, 1 for the worker whose last such prompt is longest ago, 0 for the
///   latest, by rank; 0.5 for all otherwise.
///
/// Of equals any. Source: the llm-d router and its optimised baseline (weights 3, 2, 2, 2). Simplified: queue lengths and
/// KV use are those of the view, not scraped every 50 ms; what is cached is guessed from placements (the approximate
/// prefix scorer). Where no query brings prefixes, every prompt counts as unseen.
package struct WeightedScores: ImmediatePolicy, PrefixAware {
    package struct Settings: Hashable, Sendable {
        package var prefix = 3.0
        package var queue = 2.0
        package var kvCache = 2.0
        package var noHit = 2.0

        package init() {}

        init(_ settings: inout PolicySettings) throws(PolicyError) {
            prefix = try settings.number("prefix", default: prefix, in: 0...1000)
            queue = try settings.number("queue", default: queue, in: 0...1000)
            kvCache = try settings.number("kv", default: kvCache, in: 0...1000)
            noHit = try settings.number("no-hit", default: noHit, in: 0...1000)
        }
    }

    package let settings: Settings
    package private(set) var sawPrefixes = false
    private var prefixes = PrefixIndex()
    private var generator: SeededGenerator
    /// Workers by when they were last sent a prompt that none had seen, the longest ago first.
    private var coldOrder: [WorkerID] = []

    package init(_ settings: Settings = Settings(), seed: UInt64) {
        self.settings = settings
        generator = SeededGenerator(seed: seed)
    }

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        let blocks = query.queued.blocks
        if !blocks.isEmpty { sawPrefixes = true }
        let shares = prefixes.shares(of: blocks, in: view)
        let candidates = filter(pool, for: query, in: view)
        let noHit = shares.isEmpty ? coldScores(of: candidates, in: view) : []
        let queues = queueRange(of: candidates, in: view)
        var best = (slot: candidates[0], score: -Double.infinity, ties: 1)
        for slot in candidates {
            let worker = view.workers[slot]
            let score =
                settings.prefix * (shares.isEmpty ? 0 : shares[slot])
                + settings.queue * queues.score(of: worker.queueLength)
                + settings.kvCache * worker.freeKVShare
                + settings.noHit * (noHit.isEmpty ? 0.5 : noHit[slot])
            if score > best.score {
                best = (slot, score, 1)
            } else if score == best.score {
                best.ties += 1
                if Int.random(in: 0..<best.ties, using: &generator) == 0 { best.slot = slot }
            }
        }
        let chosen = view.workers[best.slot].id
        prefixes.insert(blocks, on: chosen)
        if shares.isEmpty {
            coldOrder.removeAll { $0 == chosen }
            coldOrder.append(chosen)
        }
        return best.slot
    }

    private func filter(_ pool: [Int], for query: QueryView, in view: ClusterView) -> [Int] {
        let fitting = pool.filter {
            let worker = view.workers[$0]
            return query.prefillTokens < min(worker.joined.contextLength, worker.admissibleKVTokens)
        }
        return fitting.isEmpty ? pool : fitting
    }

    /// By slot: from 1 for the worker that was sent an unseen prompt longest ago, or never, down to 0.
    private mutating func coldScores(of candidates: [Int], in view: ClusterView) -> [Double] {
        if coldOrder.count > 2 * view.workers.count { coldOrder.removeAll { view.slot(of: $0) == nil } }
        var scores = [Double](repeating: -1, count: view.workers.count)
        for slot in candidates { scores[slot] = 1 }
        let step = 1 / Double(max(1, candidates.count - 1))
        var rank = candidates.count
        for worker in coldOrder.reversed() {
            guard let slot = view.slot(of: worker), scores[slot] >= 0 else { continue }
            rank -= 1
            scores[slot] = Double(candidates.count - 1 - rank) * step
        }
        // Those that were never sent one come first, in the order in which they joined.
        var neverUsed = 0
        for slot in candidates where scores[slot] == 1 && neverUsed < rank {
            scores[slot] = 1 - Double(neverUsed) * step
            neverUsed += 1
        }
        return scores
    }

    private struct QueueRange {
        var shortest = Int.max
        var longest = 0

        func score(of length: Int) -> Double {
            longest > shortest ? Double(longest - length) / Double(longest - shortest) : 1
        }
    }

    private func queueRange(of candidates: [Int], in view: ClusterView) -> QueueRange {
        var range = QueueRange()
        for slot in candidates {
            let length = view.workers[slot].queueLength
            range.shortest = min(range.shortest, length)
            range.longest = max(range.longest, length)
        }
        return range
    }
}

extension WorkerView {
    /// Queries that its engine has not begun to prefill.
    fileprivate var queueLength: Int { max(0, waiting.count - (step?.prefills ?? 0)) }

    /// The share of its KV cache that is free.
    fileprivate var freeKVShare: Double {
        1 - min(1, Double(usedKVTokens) / Double(max(1, profile.kvCache.capacityTokens)))
    }
}
