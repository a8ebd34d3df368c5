internal import RecordTables
internal import ServingModel

extension HoldAndDispatch {
    /// Queries that are looked at for a home in one decision: what is farther back has time.
    private static let homesPerDecision = 64
    /// Workers with the longest matches that are compared for one query.
    private static let homes = 4

    /// Sends queries to where most of their prompt is in the KV cache already, as soon as that harms nobody there.
    ///
    /// What is saved is a prefill, whose length is what makes a query hard to place. But a worker is no better for a
    /// prefix that many queries share than the next one: it is a candidate only as long as the hazard there is small, like
    /// any other, so that a popular beginning spreads over as many workers as it needs. Meanwhile its queries wait,
    /// unless somebody has nothing to do; with their slack used up they go where all others go, to the least hazard.
    mutating func sendHome(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        guard settings.usesPrefixes, settings.holds, !view.prefixes.isEmpty else { return }
        var searches: [QueryNumber: Instant] = [:]
        let queue = demand.queue(in: view).lazy.filter(\.namesPrefix).prefix(Self.homesPerDecision)
        for query in Array(queue) {
            if let last = homeSearches[query.number], demand.now < last + settings.lookAgain {
                // Nothing much has changed since; it waits on.
                searches[query.number] = last
                demand.held.insert(query.number)
                decision.lookAgain(at: last + settings.lookAgain)
                continue
            }
            let homes = homes(of: query, demand, in: view)
            guard !homes.isEmpty else { continue }
            let ranking = rank(homes, for: DispatchBatch(of: query, on: timing(homes, view)), in: view, demand.hazard)
            guard let best = ranking.first else { continue }
            if best.choice.hazard <= settings.patience {
                let slot = best.slot
                let batch = DispatchBatch(of: query, on: view.workers[slot].promptTiming).adapted(to: slot, in: view)
                demand.remove(batch)
                send(batch, to: slot, because: "its beginning is there", ranking, &view, demand, &decision)
            } else if view.pools[demand.pool].idle.isEmpty, let slackEnds = slackEnds(query, homes, view, demand) {
                searches[query.number] = demand.now
                demand.held.insert(query.number)
                decision.lookAgain(at: min(slackEnds, demand.now + settings.lookAgain))
            }
        }
        homeSearches = searches
    }

    /// The workers that hold the most of a query's prompt, if that is most of it.
    func homes(of query: UnplacedQuery, _ demand: Demand, in view: ClusterView) -> [Int] {
        guard query.namesPrefix, let whole = view.queries[query.number] else { return [] }
        return view.prefixes.longest(whole.queued.blocks, count: Self.homes).compactMap { match in
            let saved = whole.tokens(ofBlocks: match.blocks)
            guard Double(saved) >= settings.homeShare * Double(query.prefillTokens),
                let slot = view.slot(of: match.worker), view.workers[slot].pool == demand.pool
            else { return nil }
            return slot
        }
    }

    private func timing(_ slots: [Int], _ view: ClusterView) -> PromptTiming {
        view.workers[slots[0]].promptTiming
    }

    /// When a query can wait for its home no longer; nil if that is past.
    private func slackEnds(_ query: UnplacedQuery, _ homes: [Int], _ view: ClusterView, _ demand: Demand) -> Instant? {
        // Elsewhere all of it must be computed.
        let batch = DispatchBatch(of: query, on: timing(homes, view))
        let end = batch.slackEnds(lastCall: settings.lastCall)
        return end > demand.now ? end : nil
    }
}
