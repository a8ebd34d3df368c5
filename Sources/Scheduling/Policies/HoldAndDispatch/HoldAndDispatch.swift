internal import RecordTables
package import ServingModel

/// Aligned hold-and-dispatch: queries wait in one queue until a worker can take a batch of them without harm.
///
/// A short answer has an ATGT budget of a few token times only, and one foreign prefill on its worker breaks it. So
/// prefills are gathered into few, large batches, each sent to the worker where it does the least harm: the one whose
/// residents have run ahead of their pace, mostly the one whose last prefill is longest ago.
///
/// 1. A worker with nothing to do gets the head of the queue at once: at low load nothing is held.
/// 2. A query most of whose prompt some worker still holds goes there as soon as that harms nobody.
/// 3. Otherwise a batch is the longest prefix of the queue that prefills within a share of the TTFT objective and keeps
///    every deadline.
/// 4. A full batch goes to the worker of least hazard as soon as that is small; so does one that takes next to no time,
///    and any while the workers have room to spare.
/// 5. When the head's slack runs out the batch goes to the worker of least hazard, unless it would cost too many
///    objectives: then its longest prompt is given up, and served later where it costs none.
///
/// The documentation has it in full: docs/algorithm.md.
package struct HoldAndDispatch: PlacementPolicy {
    package let settings: Settings
    /// Queries that were given up for others' sake.
    package internal(set) var given = 0
    var shares = FairShares()
    /// The last search for a worker that found none, by model.
    private var searches: [String: Search] = [:]
    /// When the last query that had waited too long was sent without regard for harm.
    var lastForced = Instant.zero
    /// When each query that waits for a worker with its beginning last looked for one.
    var homeSearches: [QueryNumber: Instant] = [:]
    /// Why the last decision placed nothing, if that holds until something of note happens.
    private var rest: Rest?

    /// A full batch that no candidate could take.
    private struct Search {
        let head: QueryNumber
        let count: Int
        let at: Instant
    }

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    package mutating func decide(in view: inout ClusterView, at now: Instant) -> Decision {
        var decision = Decision()
        if let rest, rest.holds(in: view, at: now) {
            decision.lookAgain(at: rest.until)
            return decision
        }
        rest = nil
        for var demand in demands(in: view, at: now) {
            sendMisfits(&demand, &view, &decision)
            sendHome(&demand, &view, &decision)
            fillIdle(&demand, &view, &decision)
            dispatch(&demand, &view, &decision)
            dispatchLate(&demand, &view, &decision)
        }
        return decision
    }

    /// Sends what fits no worker's KV cache, as far as can be told from here: a worker knows for sure, and says so.
    private mutating func sendMisfits(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        let room = view.pools[demand.pool].largestCapacity
        guard view.unplaced.longestContext > room else { return }
        let misfits = demand.queue(in: view).filter { $0.longestContext > room }
        guard !misfits.isEmpty else { return }
        let slot = candidates(for: demand, in: view)[0]
        for query in misfits {
            let batch = DispatchBatch(of: query, on: view.workers[slot].promptTiming)
            send(batch, to: slot, because: "it seems to fit no worker", [], &view, demand, &decision)
        }
        demand.ownOrder?.removeAll { $0.longestContext > room }
    }

    private mutating func fillIdle(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        var next = view.pools[demand.pool].idle.next(from: 0)
        while let slot = next {
            guard let head = demand.first(in: view) else { return }
            next = view.pools[demand.pool].idle.next(from: slot + 1)
            let cached = view.cachedTokens(of: head, onSlot: slot)
            let batch = DispatchBatch(of: head, cached: cached, on: view.workers[slot].promptTiming)
            let choice = view.workers[slot].rise(of: batch, demand.hazard)
            // A worker that is too slow for the query is no gain; the common path weighs it against the others.
            guard choice.hazard < Double(1) else { continue }
            demand.remove(batch)
            send(batch, to: slot, because: "the worker had nothing to do", [(slot, choice)], &view, demand, &decision)
        }
    }

    private mutating func dispatch(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        guard demand.first(in: view) != nil else { return }
        // What comes prefilled sets nobody back: every worker is a candidate.
        let isPrefilled = demand.queue(in: view).allSatisfy { $0.prefillTokens == 0 }
        var turn = isPrefilled ? view.pools[demand.pool].slots : candidates(for: demand, in: view)
        while let batch = batch(from: demand, on: turn[0], in: view) {
            let slackEnds = batch.slackEnds(lastCall: settings.lastCall)
            let mustGo = !settings.holds || slackEnds <= demand.now
            let mayRest = !isPrefilled && settings.aligns && !batch.reliesOnOthers && demand.held.isEmpty
            let isFree = settings.holds && isNextToFree(batch, on: view.workers[turn[0]])
            guard mustGo || batch.isFull || isFree || hasRoom(for: batch, on: view.workers[turn[0]], demand) else {
                if mayRest { rest = Rest(demand, until: slackEnds, turn.prefix(1), in: view) }
                return decision.lookAgain(at: slackEnds)
            }
            let isRepeated = !mustGo && isSearched(batch, demand)
            let ranking = ranking(of: turn, for: batch, demand, isRepeated: isRepeated, &view)
            let hazard = ranking.first?.choice.hazard ?? .infinity
            let count = Double(batch.queries.count)
            guard mustGo || hazard <= settings.patience * count else {
                if !isRepeated {
                    searches[demand.model] = Search(head: batch.head.number, count: batch.queries.count, at: demand.now)
                }
                let searched = searches[demand.model]?.at ?? demand.now
                let until = min(slackEnds, searched + settings.lookAgain)
                if mayRest { rest = Rest(demand, until: until, turn[...], in: view) }
                return decision.lookAgain(at: until)
            }
            guard let slot = ranking.first?.slot else { return }
            if settings.sheds, settings.usesHazard, hazard >= settings.shedAt * count,
                let victim = victim(of: batch, misses: demand.hazard.ownMisses(of: batch, on: view.workers[slot]))
            {
                giveUp(victim, &demand, &view)
                continue
            }
            demand.remove(batch)
            let reason =
                mustGo
                ? "its slack was used up"
                : batch.isFull
                    ? "the batch was full and harmed nobody there"
                    : isFree ? "it takes next to no time there" : "the worker has room to spare"
            send(batch, to: slot, because: reason, ranking, &view, demand, &decision)
            if !isPrefilled { turn = candidates(for: demand, in: view) }
        }
    }

    /// The candidates that are worth a look, the best first.
    ///
    /// - Parameter isRepeated: the same batch found no worker a moment ago.
    private func ranking(
        of turn: [Int],
        for batch: DispatchBatch,
        _ demand: Demand,
        isRepeated: Bool,
        _ view: inout ClusterView
    ) -> [(slot: Int, choice: Hazard.Choice)] {
        // Time alone changes little: only workers that something happened to are looked at again.
        var looked = isRepeated ? turn.filter { view.stepless.contains($0) } : turn
        if settings.usesPrefixes, !view.prefixes.isEmpty {
            for home in homes(of: batch.head, demand, in: view) where !turn.contains(home) { looked.append(home) }
        }
        let ranking = rank(looked, for: batch, in: view, demand.hazard)
        guard settings.aligns, let best = ranking.first, best.choice.kv > 0 else { return ranking }
        // Memory is short there, and whose turn it is says nothing of memory.
        let roomy = view.roomiest(settings.candidates, ofPool: demand.pool)
        return rank(roomy + [best.slot], for: batch, in: view, demand.hazard)
    }

    private func isSearched(_ batch: DispatchBatch, _ demand: Demand) -> Bool {
        guard let search = searches[demand.model] else { return false }
        return search.head == batch.head.number && search.count == batch.queries.count
            && demand.now < search.at + settings.lookAgain
    }

    mutating func send(
        _ batch: DispatchBatch,
        to slot: Int,
        because reason: String,
        _ ranking: [(slot: Int, choice: Hazard.Choice)],
        _ view: inout ClusterView,
        _ demand: Demand,
        _ decision: inout Decision
    ) {
        let candidates = view.wantsExplanations ? explained(ranking, in: view) : []
        for entry in batch.queries {
            guard let query = view.queries[entry.number] else { continue }
            var placement = view.placement(of: query, onSlot: slot, at: demand.now, explains: false)
            if view.wantsExplanations {
                placement.explanation = PlacementExplanation(
                    reason: reason,
                    held: demand.now - query.arrival,
                    batch: batch.queries.count,
                    candidates: candidates
                )
            }
            decision.placements.append(placement)
            view.place(entry.number, onSlot: slot, at: demand.now)
            shares.charge(entry, answering: demand.hazard.survival.mean)
        }
    }
}

extension Decision {
    mutating func lookAgain(at instant: Instant) {
        lookAgain = min(lookAgain ?? .distantFuture, instant)
    }
}
