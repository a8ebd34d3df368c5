package import ServingModel

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The worker of least cost in KV blocks, prefill and decode added up: the rule of Dynamo's KV router.
///
/// `cost = prefillWeight · (waiting prompt tokens + tokens of this prompt that are not cached)/block + active blocks`,
/// active being those of all contexts there and of this prompt. With temperature 0 the least cost wins, of equals any;
/// above, a worker is drawn with probability `∝ exp(−cost/(range of costs)/temperature)`.
///
/// Source: NVIDIA Dynamo, KV router (`overlap_score_weight` 1, `router_temperature` 0). Where no query brings prefixes
/// nothing is cached and the load term decides. Simplified: what is cached is guessed from placements, as Dynamo does
/// without KV events; active blocks count output tokens as they come (its `track-output-blocks`), since that is what the
/// view has, and blocks that two queries share count twice.
package struct KVCostModel: ImmediatePolicy, PrefixAware {
    package struct Settings: Hashable, Sendable {
        /// Weight of prefill blocks against decode blocks.
        package var prefillWeight = 1.0
        /// Randomness of the choice, as a share of the range of costs.
        package var temperature = 0.0

        package init() {}

        init(_ settings: inout PolicySettings) throws(PolicyError) {
            prefillWeight = try settings.number("prefill-weight", default: prefillWeight, in: 0...1000)
            temperature = try settings.number("temperature", default: temperature, in: 0...100)
        }
    }

    package let settings: Settings
    package private(set) var sawPrefixes = false
    private var prefixes = PrefixIndex()
    private var generator: SeededGenerator
    /// Of the pool, in its order; kept to save allocations.
    private var costs: [Double] = []

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
        costs.removeAll(keepingCapacity: true)
        for slot in pool {
            let cached = shares.isEmpty ? 0 : shares[slot]
            costs.append(cost(of: query, cached: cached, on: view.workers[slot]))
        }
        let slot = pool[settings.temperature > 0 ? drawPosition() : leastPosition()]
        prefixes.insert(blocks, on: view.workers[slot].id)
        return slot
    }

    private func cost(of query: QueryView, cached: Double, on worker: WorkerView) -> Double {
        let prompt = Double(query.prefillTokens)
        let prefill = Double(worker.waitingTokens) + prompt * (1 - cached)
        let active = Double(worker.contextTokens + worker.waitingTokens) + prompt
        return (settings.prefillWeight * prefill + active) / Double(max(1, worker.profile.kvCache.blockTokens))
    }

    private mutating func leastPosition() -> Int {
        var least = Double.infinity
        var position = 0
        var ties = 0
        for (index, cost) in costs.enumerated() {
            if cost < least {
                (least, position, ties) = (cost, index, 1)
            } else if cost == least {
                ties += 1
                if Int.random(in: 0..<ties, using: &generator) == 0 { position = index }
            }
        }
        return position
    }

    private mutating func drawPosition() -> Int {
        let least = costs.min() ?? 0
        let range = (costs.max() ?? 0) - least
        guard range > 0 else { return Int.random(in: costs.indices, using: &generator) }
        var total = 0.0
        for index in costs.indices {
            costs[index] = exp(-(costs[index] - least) / range / settings.temperature)
            total += costs[index]
        }
        var rest = Double.random(in: 0..<total, using: &generator)
        for (index, weight) in costs.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return costs.count - 1
    }
}
