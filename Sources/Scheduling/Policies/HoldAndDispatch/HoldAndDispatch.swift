package import ServingModel

/// Aligned hold-and-dispatch: queries wait in one queue until a worker can take a batch of them without harm.
///
/// A short answer has an ATGT budget of a few token times only, and one foreign prefill on its worker breaks it. So
/// prefills are gathered into few, large batches, each sent to the worker where it does the least harm: the one whose
/// residents have run ahead of their pace, mostly the one whose last prefill is longest ago.
///
/// 1. A worker with nothing to do gets the head of the queue at once: at low load nothing is held.
/// 2. Otherwise a batch is the longest prefix of the queue that prefills within a share of the TTFT objective and keeps
///    every deadline.
/// 3. A full batch goes to the worker of least hazard as soon as that is small.
/// 4. When the head's slack runs out the batch goes to the worker of least hazard, unless it would cost too many
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
        for var demand in demands(in: view, at: now) {
            sendMisfits(&demand, &view, &decision)
            fillIdle(&demand, &view, &decision)
            dispatch(&demand, &view, &decision)
            dispatchLate(&demand, &view, &decision)
        }
        return decision
    }

    /// Sends what fits no worker's KV cache, as far as can be told from here: a worker knows for sure, and says so.
    private mutating func sendMisfits(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        let room = demand.pool.reduce(0) { max($0, view.workers[$1].profile.kvCache.capacityTokens) }
        guard demand.queue.contains(where: { $0.longestContext > room }) else { return }
        let slot = candidates(among: demand.pool, in: view)[0]
        for query in demand.queue where query.longestContext > room {
            let batch = DispatchBatch(of: query, on: view.workers[slot])
            send(batch, to: slot, because: "it seems to fit no worker", [], &view, demand, &decision)
        }
        demand.queue.removeAll { $0.longestContext > room }
    }

    private mutating func fillIdle(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        for slot in demand.pool where view.workers[slot].isIdle {
            guard let head = demand.queue.first else { return }
            let batch = DispatchBatch(of: head, on: view.workers[slot])
            let choice = demand.hazard.rise(of: batch, on: view.workers[slot])
            // A worker that is too slow for the query is no gain; the common path weighs it against the others.
            guard choice.hazard < Double(1) else { continue }
            demand.queue.removeFirst()
            send(batch, to: slot, because: "the worker had nothing to do", [(slot, choice)], &view, demand, &decision)
        }
    }

    private mutating func dispatch(_ demand: inout Demand, _ view: inout ClusterView, _ decision: inout Decision) {
        guard !demand.queue.isEmpty else { return }
        // What comes prefilled sets nobody back: every worker is a candidate.
        let isPrefilled = demand.queue.allSatisfy { $0.prefillTokens == 0 }
        var turn = isPrefilled ? demand.pool : candidates(among: demand.pool, in: view)
        while let batch = batch(from: demand, on: view.workers[turn[0]], in: view) {
            let slackEnds = batch.slackEnds(lastCall: settings.lastCall)
            let mustGo = !settings.holds || slackEnds <= demand.now
            guard mustGo || batch.isFull else { return decision.lookAgain(at: slackEnds) }
            let isRepeated = !mustGo && isSearched(batch, demand)
            // Time alone changes little: only workers that something happened to are looked at again.
            let looked = isRepeated ? turn.filter { view.stepless.contains($0) } : turn
            var ranking = rank(looked, for: batch, in: view, demand.hazard)
            if settings.aligns, let best = ranking.first, best.choice.kv > 0 {
                // Memory is short there, and whose turn it is says nothing of memory.
                let roomy = roomiest(among: demand.pool, in: view)
                ranking = rank(roomy + [best.slot], for: batch, in: view, demand.hazard)
            }
            let hazard = ranking.first?.choice.hazard ?? .infinity
            let count = Double(batch.queries.count)
            guard mustGo || hazard <= settings.patience * count else {
                if !isRepeated {
                    searches[demand.model] = Search(head: batch.head.number, count: batch.queries.count, at: demand.now)
                }
                let searched = searches[demand.model]?.at ?? demand.now
                return decision.lookAgain(at: min(slackEnds, searched + settings.lookAgain))
            }
            guard let slot = ranking.first?.slot else { return }
            if settings.sheds, settings.usesHazard, hazard >= settings.shedAt * count,
                let victim = victim(of: batch, misses: demand.hazard.ownMisses(of: batch, on: view.workers[slot]))
            {
                giveUp(victim, &demand, &view)
                continue
            }
            demand.remove(batch)
            let reason = mustGo ? "its slack was used up" : "the batch was full and harmed nobody there"
            send(batch, to: slot, because: reason, ranking, &view, demand, &decision)
            if !isPrefilled { turn = candidates(among: demand.pool, in: view) }
        }
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
        for entry in batch.queries {
            guard let query = view.queries[entry.number] else { continue }
            var placement = view.placement(of: query, onSlot: slot, at: demand.now)
            if view.wantsExplanations {
                placement.explanation = explanation(of: query, reason, batch, ranking, in: view, at: demand.now)
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
