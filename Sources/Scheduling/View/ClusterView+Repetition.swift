internal import RecordTables
internal import ServingModel

/// Queries that failed on a worker which is still there: whatever the policy, another one gets the next attempt.
///
/// What fails once because of its worker (an engine in a bad state, a full disk) will fail there again, and attempts are few. It
/// is a rule beside the policies: they decide where a query does least harm, and know nothing of faults.
extension ClusterView {
    mutating func avoidRepetition(in decision: inout Decision, at now: Instant) {
        for index in decision.placements.indices {
            let placement = decision.placements[index]
            guard let place = queries.place(of: placement.query),
                queries[place: place].queued.failedOn == placement.worker
            else { continue }
            let query = queries[place: place]
            guard let slot = slots[placement.worker], let other = alternative(to: slot, for: query, at: now) else {
                continue
            }
            var changed = self.placement(of: query, onSlot: other, at: now, explains: false)
            changed.explanation = placement.explanation
            changed.explanation?.reason = "its last attempt failed on the worker that the policy chose"
            changed.explanation?.candidates = candidates(of: placement, chosen: workers[other].id)
            decision.placements[index] = changed
            self.place(placement.query, onSlot: other, at: now)
        }
    }

    /// The worker that the policy might have chosen as well, has a place and memory, and has the first token soonest.
    private func alternative(to slot: Int, for query: QueryView, at now: Instant) -> Int? {
        let pool = isPrompt(query) ? promptSlots[query.queued.model] ?? [] : self.pool(for: query)
        var best: (slot: Int, time: Interval)?
        for other in pool where other != slot {
            let worker = workers[other]
            guard worker.freePlaces > 0,
                query.contextTokens + worker.usedKVTokens + worker.waitingTokens < worker.admissibleKVTokens
            else { continue }
            let time = predictedTimeToFirstToken(of: query, onSlot: other, at: now)
            if best.map({ time < $0.time }) ?? true { best = (other, time) }
        }
        return best?.slot
    }

    private func candidates(
        of placement: Placement,
        chosen: WorkerID
    ) -> [PlacementExplanation.Candidate] {
        let before = placement.explanation?.candidates ?? []
        let own = before.first { $0.worker == chosen } ?? .init(worker: chosen, terms: [])
        let rest = before.filter { $0.worker != chosen }.map { candidate in
            var candidate = candidate
            if candidate.worker == placement.worker { candidate.failed = "its last attempt failed here" }
            return candidate
        }
        return Array(([own] + rest).prefix(PlacementExplanation.maximumCandidates))
    }
}
