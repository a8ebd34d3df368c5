package import ServingModel

/// The worker that most likely has the prompt's beginning in its cache, unless loads are too uneven: SGLang's rule.
///
/// 1. If the most loaded worker has more than `balanceAbsolute` queries more than the least loaded one, and more than
///    `balanceRelative` times as many, the least loaded takes the query.
/// 2. Else, if a worker has been sent more than `matchThreshold` of the prompt, that worker takes it.
/// 3. Else the least loaded. Where no query brings prefixes it is `JoinShortestQueue` to the letter.
///
/// Source: the cache-aware policy of SGLang's router, and its defaults (sglang-router 0.3). Earlier versions send what
/// matches nothing to the worker with the smallest tree, the one that was sent the fewest new tokens so far:
/// `smallestTree`. Simplified: the tree is over hashes of blocks, not over characters or tokens; it is bounded as a whole
/// rather than per worker on a timer; a tree's size is not lowered by what was forgotten.
package struct CacheAware: ImmediatePolicy, PrefixAware {
    package struct Settings: Hashable, Sendable {
        /// Share of the prompt from which a match counts.
        package var matchThreshold = 0.3
        /// Difference in unfinished queries up to which loads are even.
        package var balanceAbsolute = 64.0
        /// Ratio of unfinished queries up to which loads are even.
        package var balanceRelative = 1.5
        /// A query without a match goes to the worker that was sent the least, not to the least loaded.
        package var smallestTree = false

        package init() {}

        init(_ settings: inout PolicySettings) throws(PolicyError) {
            matchThreshold = try settings.number("match", default: matchThreshold, in: 0...1)
            balanceAbsolute = try settings.number("balance-abs", default: balanceAbsolute, in: 0...1_000_000)
            balanceRelative = try settings.number("balance-rel", default: balanceRelative, in: 1...1000)
            smallestTree = try settings.flag("smallest-tree", default: smallestTree)
        }
    }

    package let settings: Settings
    package private(set) var sawPrefixes = false
    private var prefixes = PrefixIndex()
    /// Prompt tokens sent to each worker that it did not hold.
    private var treeSizes: [WorkerID: Int] = [:]

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        let blocks = query.queued.blocks
        if !blocks.isEmpty { sawPrefixes = true }
        let match = bestMatch(of: blocks, among: pool, in: view)
        let slot = choose(match: match, among: pool, in: view)
        let worker = view.workers[slot].id
        prefixes.insert(blocks, on: worker)
        if settings.smallestTree {
            let known = match.slot == slot ? match.share : 0
            treeSizes[worker, default: 0] += Int(Double(query.prefillTokens) * (1 - known))
            if treeSizes.count > 2 * view.workers.count { forgetGone(view) }
        }
        return slot
    }

    private mutating func forgetGone(_ view: ClusterView) {
        let old = treeSizes
        treeSizes.removeAll()
        for worker in view.workers { treeSizes[worker.id] = old[worker.id] }
    }

    private func choose(match: (slot: Int, share: Double), among pool: [Int], in view: ClusterView) -> Int {
        var least = (slot: pool[0], load: Int.max)
        var most = 0
        for slot in pool {
            let load = view.workers[slot].load
            if load < least.load { least = (slot, load) }
            most = max(most, load)
        }
        let isUneven =
            Double(most - least.load) > settings.balanceAbsolute
            && Double(most) > settings.balanceRelative * Double(least.load)
        if isUneven { return least.slot }
        if match.share > settings.matchThreshold { return match.slot }
        guard settings.smallestTree else { return least.slot }
        return view.slot(in: pool) { Double(treeSizes[$0.id] ?? 0) }
    }

    /// Of the workers that take queries, the one that holds most of the prompt; share 0 if none holds any.
    private func bestMatch(
        of blocks: [UInt64],
        among pool: [Int],
        in view: ClusterView
    ) -> (slot: Int, share: Double) {
        guard !blocks.isEmpty else { return (pool[0], 0) }
        let model = view.workers[pool[0]].profile.model
        for match in prefixes.matches(of: blocks) {
            guard let slot = view.slot(of: match.worker) else { continue }
            let worker = view.workers[slot]
            if !worker.isDraining, worker.profile.model == model { return (slot, match.share) }
        }
        return (pool[0], 0)
    }
}
