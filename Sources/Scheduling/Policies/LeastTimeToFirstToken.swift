package import ServingModel

/// The worker with the earliest predicted first token, among those that keep everybody's token pace if there are any.
///
/// The pace of a worker is its decode step with this query added; it must not exceed the query's ATGT objective, and its
/// KV cache must have room.
package struct LeastTimeToFirstToken: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        var best = (slot: pool[0], fits: false, time: Interval(nanoseconds: .max))
        for slot in pool {
            let time = view.predictedTimeToFirstToken(of: query, onSlot: slot, at: now)
            let fits = Self.fits(query, view.workers[slot])
            if (fits && !best.fits) || (fits == best.fits && time < best.time) { best = (slot, fits, time) }
        }
        return best.slot
    }

    private static func fits(_ query: QueryView, _ worker: WorkerView) -> Bool {
        let expected = query.queued.outputTokensHint ?? min(query.queued.maxTokens, 256)
        let context = worker.contextTokens + worker.waitingTokens + query.prefillTokens
        guard context + expected <= worker.profile.kvCache.capacityTokens,
            worker.load < worker.profile.limits.maximumSequences
        else { return false }
        let pace = worker.model.decode(sequences: Double(worker.load + 1), context: Double(context))
        return pace <= query.objective.averageTokenTime.seconds
    }
}
