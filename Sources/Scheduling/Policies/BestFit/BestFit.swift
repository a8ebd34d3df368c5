internal import RecordTables
package import ServingModel

/// The paper's scheduler: multi-dimensional best-fit packing of queries into workers.
///
/// A worker is a bin, and five constraints say what fits into it: (a) the first token of everything that waits there in
/// time, (b) the stop for its prefills within the slack of what decodes, (c) decode steps within a share θ of the ATGT
/// objective, outputs counting by a share γ, (d) KV memory at each future completion within capacity, (e) a cap on
/// sequences. Of the workers that a query fits into it takes the fullest, so that the fewest are used. What fits nowhere
/// waits as long as its TTFT objective allows, then goes where the constraints are broken least. Nothing moves once it
/// is placed; errors of predicted lengths are made up for by placing new queries elsewhere.
///
/// Source: Nie, Fonseca and Liu, "Aladdin", arXiv 2405.06856. What is our reading of it is listed in the documentation.
package struct BestFit: PlacementPolicy {
    package let settings: Settings
    /// Queries placed where a constraint is broken, for nothing better was to be had.
    package private(set) var degraded: UInt64 = 0
    /// Queries placed on a worker that had nothing to do.
    package private(set) var opened: UInt64 = 0
    /// By slot.
    var bins: [WorkerBin] = []
    /// Queries that fitted nowhere when last looked at.
    private var held: [QueryNumber: Held] = [:]

    private struct Held {
        let query: PackedQuery
        let group: Int
        let lastCall: Double
    }

    /// Held queries that one decision looks at, the most urgent first: bounds its cost in overload.
    private static let lookahead = 64

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    package mutating func decide(in view: inout ClusterView, at now: Instant) -> Decision {
        follow(view)
        var decision = Decision()
        var stillHeld: [QueryNumber: Held] = [:]
        var hasRefreshed = false
        // A query that fitted nowhere can only fit where something happened since.
        let changed = view.stepless.filter(bins.indices.contains)
        refresh(changed, from: view)
        for entry in view.unplaced where stillHeld.count < Self.lookahead {
            guard let query = view.queries[entry.number] else { continue }
            let pool = view.pool(for: query)
            guard !pool.isEmpty else { continue }
            let before = held[entry.number]
            if before == nil, !hasRefreshed {
                refresh(Array(bins.indices), from: view)
                hasRefreshed = true
            }
            let candidate = before ?? candidate(query, pool, in: view)
            let everyone = members(of: candidate.group, in: pool)
            let slots = before == nil ? everyone : everyone.filter(changed.contains)
            let mustGo = !settings.holds || candidate.lastCall <= now.seconds
            let question = WorkerBin.Question(query: candidate.query, now: now.seconds, settings: settings)
            var target = bestFit(question, among: slots, of: everyone)
            if target == nil, mustGo {
                refresh(everyone, from: view)
                target = leastViolation(question, among: everyone)
                degraded += 1
            }
            guard let slot = target else {
                stillHeld[entry.number] = candidate
                let again = Instant.zero + .seconds(rounding: candidate.lastCall)
                decision.lookAgain = min(decision.lookAgain ?? .distantFuture, again)
                continue
            }
            if bins[slot].isEmpty { opened += 1 }
            decision.placements.append(view.placement(of: query, onSlot: slot, at: now))
            view.place(entry.number, onSlot: slot, at: now)
            bins[slot].add(candidate.query, settings)
        }
        held = stillHeld
        return decision
    }

    private func candidate(_ query: QueryView, _ pool: [Int], in view: ClusterView) -> Held {
        let packed = PackedQuery(query, in: view, settings)
        let group = group(for: query.number, in: pool)
        return Held(query: packed, group: group, lastCall: lastCall(of: packed, on: members(of: group, in: pool)))
    }

    /// Keeps a bin for each worker, by its slot.
    private mutating func follow(_ view: ClusterView) {
        let isSame =
            bins.count == view.workers.count && bins.indices.allSatisfy { bins[$0].worker == view.workers[$0].id }
        guard !isSame else { return }
        let former = bins
        bins = view.workers.map { worker in former.first { $0.worker == worker.id } ?? WorkerBin(worker) }
        held.removeAll()
    }

    private mutating func refresh(_ slots: [Int], from view: ClusterView) {
        for slot in slots {
            bins[slot].refresh(from: view, slot: slot, settings)
            if settings.rebalances { bins[slot].thaw(settings) }
        }
    }

    /// When a query has to go: its prefill and a reserve before its first token is due.
    private func lastCall(of query: PackedQuery, on slots: [Int]) -> Double {
        guard query.deadline < .infinity, let slot = slots.first else { return 0 }
        let prefill = bins[slot].model.prefill(tokens: query.prefill, squares: query.prefill * query.prefill)
        return query.deadline - prefill - settings.lastCall * query.objective.firstToken
    }

    /// The fullest worker that a query fits into, or nil.
    ///
    /// - Parameter everyone: workers of the group, those left out of `slots` too.
    private func bestFit(_ question: WorkerBin.Question, among slots: [Int], of everyone: [Int]) -> Int? {
        let order = slots.map { (norm: bins[$0].norm(settings), slot: $0) }
            .sorted { left, right in
                if !settings.packs, bins[left.slot].isEmpty != bins[right.slot].isEmpty {
                    return bins[left.slot].isEmpty
                }
                return (-left.norm, left.slot) < (-right.norm, right.slot)
            }
        let risk = Risk(of: everyone.map { bins[$0].count }, settings.chance)
        for (position, candidate) in order.enumerated() {
            guard fits(question, candidate.slot, risk) else { continue }
            guard settings.rebalances else { return candidate.slot }
            let others = order[(position + 1)...].map(\.slot)
            return lighter(than: candidate.slot, among: others, of: everyone) { fits(question, $0, risk) }
        }
        return nil
    }

    private func fits(_ question: WorkerBin.Question, _ slot: Int, _ risk: Risk) -> Bool {
        guard !bins[slot].isFrozen else { return false }
        guard settings.chance != nil else { return bins[slot].admits(question) }
        var question = question
        question.margin = risk.margin(of: bins[slot].count)
        return bins[slot].admits(question)
    }

    /// The worker whose worst broken constraint is broken least.
    private func leastViolation(_ question: WorkerBin.Question, among slots: [Int]) -> Int? {
        var best: (slot: Int, overshoot: Double)?
        for slot in slots {
            let overshoot = bins[slot].overshoot(question).worst
            if overshoot < best?.overshoot ?? .infinity { best = (slot, overshoot) }
        }
        return best?.slot ?? slots.first
    }
}
