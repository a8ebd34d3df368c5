internal import ServingModel

extension HoldAndDispatch {
    /// Candidates by hazard, the pace deciding between equals; the best first.
    ///
    /// Only the best is exact: the others' hazards were not counted further than to see that they are greater.
    func rank(
        _ candidates: [Int],
        for batch: DispatchBatch,
        in view: ClusterView,
        _ hazard: Hazard
    ) -> [(slot: Int, choice: Hazard.Choice)] {
        var best: (slot: Int, choice: Hazard.Choice)?
        var others: [(slot: Int, choice: Hazard.Choice)] = []
        var least = Double.infinity
        for slot in candidates {
            let limit = view.wantsExplanations || settings.balance < 0 ? Double.infinity : least
            let choice = view.workers[slot].rise(of: batch.adapted(to: slot, in: view), hazard, limit: limit)
            let harm = settings.usesHazard ? choice.hazard : 0
            let score = harm + settings.balance * choice.pace / batch.head.tokenTime
            if score < least {
                if view.wantsExplanations, let best { others.append(best) }
                (best, least) = ((slot, choice), score)
            } else if view.wantsExplanations {
                others.append((slot, choice))
            }
            if !settings.usesHazard { break }
        }
        guard let best else { return [] }
        return [best] + others.sorted { ($0.choice.hazard, $0.slot) < ($1.choice.hazard, $1.slot) }
    }

    /// Whether a worker's queries would hardly notice a batch, so that waiting for a larger one gains nothing.
    ///
    /// Of a GPU that is never so: a prefill takes as long as some tokens. Servers that answer from memory, and engines that
    /// only pretend, would otherwise get one query for each answer.
    func isNextToFree(_ batch: DispatchBatch, on worker: WorkerView) -> Bool {
        let tokens = Double(worker.waitingTokens + batch.tokens)
        let squares = Double(worker.waitingSquares + batch.squares)
        let phase = worker.prefillPhase(tokens: tokens, squares: squares)
        return max(phase.seconds, phase.stall) <= settings.freeShare * batch.head.tokenTime
    }

    /// Whether a worker is so far from its limits that a batch may as well go now: holding saves capacity, of which there
    /// is plenty.
    ///
    /// The share of prefills counts threefold here: when a burst comes out of a lull, a mean over ten seconds is late.
    func hasRoom(for batch: DispatchBatch, on worker: WorkerView, _ demand: Demand) -> Bool {
        // Where some come before others, what is held can still be overtaken.
        guard worker.waitingTokens == 0, demand.isOfOneKind else { return false }
        let context = worker.contextTokens + batch.contextTokens
        let pace = worker.model.decode(
            sequences: Double(worker.load + batch.queries.count),
            context: Double(context)
        )
        let memory = worker.usedKVTokens + batch.contextTokens
        return pace <= settings.lightLoad * (1 - Self.burstReserve * demand.prefillShare) * batch.head.tokenTime
            && Double(memory) <= settings.lightLoad * Double(worker.admissibleKVTokens)
    }

    private static let burstReserve = 3.0

    /// The workers that were given queries longest ago, the longest first.
    func candidates(for demand: Demand, in view: ClusterView) -> [Int] {
        guard settings.aligns else { return view.pools[demand.pool].slots }
        return view.leastRecent(settings.candidates, ofPool: demand.pool)
    }

    /// What was compared, in words and numbers.
    func explained(
        _ ranking: [(slot: Int, choice: Hazard.Choice)],
        in view: ClusterView
    ) -> [PlacementExplanation.Candidate] {
        ranking.prefix(PlacementExplanation.maximumCandidates).map { slot, choice in
            PlacementExplanation.Candidate(
                worker: view.workers[slot].id,
                terms: [
                    .init("hazard", choice.hazard),
                    .init("own", choice.own),
                    .init("residents", choice.residents),
                    .init("waiting", choice.waiting),
                    .init("kv", choice.kv),
                    .init("pace_ms", choice.pace * 1000),
                    .init("prefill_ms", choice.stall * 1000),
                ] + (choice.cached > 0 ? [.init("cached", Double(choice.cached))] : []),
                failed: choice.failed
            )
        }
    }
}
