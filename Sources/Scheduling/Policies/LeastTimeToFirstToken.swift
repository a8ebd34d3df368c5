package import ServingModel

/// The worker with the earliest predicted first token, among those that keep everybody's token pace if there are any.
///
/// TTFT = age + rest of the step under way + prefill of what waits there + own prefill. The pace of a worker is its decode step
/// with this query added; it must not exceed the query's ATGT objective, and its KV cache must have room.
package struct LeastTimeToFirstToken: ImmediatePolicy {
    package init() {}

    package mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?) {
        var best = (worker: workers[0].id, fits: false, time: Interval(nanoseconds: .max))
        for worker in workers {
            let time = Self.timeToFirstToken(of: query, on: worker, at: now)
            let fits = Self.fits(query, worker)
            if (fits && !best.fits) || (fits == best.fits && time < best.time) { best = (worker.id, fits, time) }
        }
        return (best.worker, best.time)
    }

    private static func timeToFirstToken(of query: QueryView, on worker: WorkerView, at now: Instant) -> Interval {
        let estimator = worker.estimator
        let tokens = worker.waitingTokens + query.prefillTokens
        let prefill = estimator.predict(
            StepWorkload(
                kind: .prefill,
                prefillTokens: tokens,
                prefillSquares: query.prefillTokens * query.prefillTokens
            )
        )
        let busy = worker.load > 0
        let step = busy ? estimator.predict(decode(on: worker, with: nil)) : .zero
        return now - query.arrival + prefill + Interval(nanoseconds: step.nanoseconds / 2)
    }

    private static func fits(_ query: QueryView, _ worker: WorkerView) -> Bool {
        let expected = query.queued.outputTokensHint ?? min(query.queued.maxTokens, 256)
        let tokens = worker.contextTokens + worker.waitingTokens + query.prefillTokens + expected
        guard tokens <= worker.profile.kvCache.capacityTokens,
            worker.load < worker.profile.limits.maximumSequences
        else { return false }
        return worker.estimator.predict(decode(on: worker, with: query)) <= query.queued.objective.averageTokenTime
    }

    private static func decode(on worker: WorkerView, with query: QueryView?) -> StepWorkload {
        StepWorkload(
            kind: .decode,
            decodeSequences: worker.load + (query == nil ? 0 : 1),
            contextTokens: worker.contextTokens + worker.waitingTokens + (query?.prefillTokens ?? 0)
        )
    }
}
