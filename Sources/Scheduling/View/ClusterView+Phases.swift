internal import RecordTables
internal import ServingModel

/// Among whom policies choose.
struct PoolKey: Hashable, Sendable {
    var model: String
    /// Where the KV caches lie that these workers can take; empty for workers that do both phases alike.
    var exchange = ""
}

/// Models some worker of which is for one phase only: split-phase serving.
///
/// Their prompts are not for policies to place: each goes at once to where its first token comes soonest, among the
/// workers that are there for prompts. What is prefilled is placed by the policy, among those that can take its KV cache.
extension ClusterView {
    func poolKey(of query: QueryView) -> PoolKey {
        let model = query.queued.model
        guard isSplit(model) else { return PoolKey(model: model) }
        return PoolKey(model: model, exchange: query.exchange ?? "")
    }

    /// Whether a query that waits is a prompt for workers of their own, or has a KV cache that nobody can take.
    func isPrompt(_ query: QueryView) -> Bool {
        guard isSplit(query.queued.model) else { return false }
        guard let exchange = query.exchange else { return true }
        return poolIndices[PoolKey(model: query.queued.model, exchange: exchange)] == nil
    }

    /// A worker for prompts alone takes part in no choice of a policy, and one without an exchange, or that goes on with
    /// nobody's answer, can take nothing.
    func isChosenByPolicies(_ slot: Int) -> Bool {
        let joined = workers[slot].joined
        guard isSplit(joined.profile.model) else { return true }
        return joined.role.takesDecodes && !joined.kvExchange.isEmpty && joined.resumesPrefix
    }

    /// The workers for prompts of each model that is split; all of its workers if none is for prompts.
    func splitModels() -> [String: [Int]] {
        var split: Set<String> = []
        for slot in workers.indices where workers[slot].joined.role != .both && !workers[slot].isDraining {
            split.insert(workers[slot].profile.model)
        }
        guard !split.isEmpty else { return [:] }
        var result: [String: [Int]] = [:]
        for model in split.sorted() {
            let all = workers.indices.filter { !workers[$0].isDraining && workers[$0].profile.model == model }
            let forPrompts = all.filter { workers[$0].joined.role.takesPrompts }
            result[model] = forPrompts.isEmpty ? all : forPrompts
        }
        return result
    }

    /// Places all prompts that wait of models that are split.
    mutating func placePrompts(at now: Instant) -> [Placement] {
        guard !promptSlots.isEmpty else { return [] }
        var placements: [Placement] = []
        for entry in Array(unplaced) + Array(deferred) {
            guard let query = queries[entry.number], isPrompt(query),
                let slots = promptSlots[query.queued.model], !slots.isEmpty
            else { continue }
            let prompt = query.withoutCache
            var best = (slot: slots[0], time: predictedTimeToFirstToken(of: prompt, onSlot: slots[0], at: now))
            for slot in slots.dropFirst() {
                let time = predictedTimeToFirstToken(of: prompt, onSlot: slot, at: now)
                if time < best.time { best = (slot, time) }
            }
            var placement = placement(of: prompt, onSlot: best.slot, at: now, explains: false)
            // Who goes on with it is not known yet.
            if workers[best.slot].joined.role == .prefill { placement.predictedTokenTime = nil }
            if wantsExplanations { placement.explanation = explanation(of: prompt, slots, best.slot, at: now) }
            placements.append(placement)
            replace(prompt)
            place(entry.number, onSlot: best.slot, at: now)
        }
        return placements
    }

    private func explanation(
        of query: QueryView,
        _ slots: [Int],
        _ chosen: Int,
        at now: Instant
    ) -> PlacementExplanation {
        let others = slots.filter { $0 != chosen }
        let candidates = ([chosen] + others).prefix(PlacementExplanation.maximumCandidates).map { slot in
            let time = predictedTimeToFirstToken(of: query, onSlot: slot, at: now)
            return PlacementExplanation.Candidate(
                worker: workers[slot].id,
                terms: [.init("predicted_ttft_ms", time.milliseconds), .init("load", Double(workers[slot].load))]
            )
        }
        return PlacementExplanation(
            reason: "of the workers for prompts, its first token comes soonest there",
            held: now - query.arrival,
            batch: 1,
            candidates: candidates
        )
    }
}
