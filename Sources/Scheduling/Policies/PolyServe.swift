package import ServingModel

/// The most loaded worker that still meets the objectives by predicted times: PolyServe's load gradient.
///
/// Queries are binned by their ATGT objective, and a worker serves the bin of the tightest query it holds; one with
/// nothing to do belongs to none. A query goes to, in this order, as far as it fits:
/// 1. a worker of its own bin, the most loaded first;
/// 2. a worker of a tighter bin, the loosest of these first;
/// 3. an idle worker, which thereby joins its bin.
///
/// It fits if its first token comes in time, if the decode step with it, the context it will grow to included, is no
/// longer than the bin's objective allows, and if the KV cache holds it to its end. Load is that decode step. If it fits
/// nowhere it goes to the least loaded worker.
///
/// Source: "PolyServe: Efficient Multi-SLO Serving at Scale" (2025), arXiv 2507.17769. In our reading it keeps no
/// margin (`pace` 1). Simplified: chunks have the engine's size, where the paper's servers cut them to fit, so that prefills
/// beside decodes are left to `pace`; expected lengths are the mean of similar queries; the fleet is as large as it is,
/// where the paper would start a server.
package struct PolyServe: ImmediatePolicy {
    package struct Settings: Hashable, Sendable {
        /// Share of the ATGT objective that a predicted decode step may take.
        package var pace = 1.0
        /// Share of the TTFT objective that the predicted TTFT may take.
        package var timeToFirstToken = 1.0

        package init() {}

        init(_ settings: inout PolicySettings) throws(PolicyError) {
            pace = try settings.number("pace", default: pace, in: 0.01...10)
            timeToFirstToken = try settings.number("ttft", default: timeToFirstToken, in: 0.01...10)
        }
    }

    package let settings: Settings
    /// The bin of each worker, by its ATGT objective in seconds, as of its last placement.
    private var bins: [WorkerID: Double] = [:]

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    package mutating func choose(
        for query: QueryView,
        among pool: [Int],
        in view: ClusterView,
        at now: Instant
    ) -> Int {
        let demand = Demand(query, in: view, settings)
        var best: (slot: Int, preference: Preference)?
        var least = (slot: pool[0], load: Double.infinity)
        for slot in pool {
            let worker = view.workers[slot]
            let bin = worker.isIdle ? nil : bins[worker.id]
            let load = demand.decodeSeconds(on: worker)
            if load < least.load { least = (slot, load) }
            // What is too slow for its own bin fits a tighter one even less.
            guard bin ?? 0 <= demand.bin, load <= settings.pace * min(bin ?? demand.bin, demand.bin) else { continue }
            let preference = Preference(bin: bin, of: demand.bin, load: load)
            if let best, best.preference >= preference { continue }
            guard demand.fitsMemory(of: worker), demand.isInTime(onSlot: slot, in: view, at: now) else { continue }
            best = (slot, preference)
        }
        let slot = best?.slot ?? least.slot
        let worker = view.workers[slot]
        let old = worker.isIdle ? nil : bins[worker.id]
        bins[worker.id] = min(old ?? demand.bin, demand.bin)
        if bins.count > 2 * view.workers.count { forgetGone(view) }
        return slot
    }

    private mutating func forgetGone(_ view: ClusterView) {
        let old = bins
        bins.removeAll()
        for worker in view.workers { bins[worker.id] = old[worker.id] }
    }

    /// How much a worker that fits is liked: own bin, tighter, idle; then the looser bin; then the higher load.
    private struct Preference: Comparable {
        let rank: Int
        let bin: Double
        let load: Double

        init(bin: Double?, of own: Double, load: Double) {
            rank = bin.map { $0 == own ? 2 : 1 } ?? 0
            self.bin = bin ?? 0
            self.load = load
        }

        static func < (left: Preference, right: Preference) -> Bool {
            (left.rank, left.bin, left.load) < (right.rank, right.bin, right.load)
        }
    }

    /// What a query asks of a worker.
    private struct Demand {
        let query: QueryView
        let bin: Double
        let expectedTokens: Int
        let due: Interval?

        init(_ query: QueryView, in view: ClusterView, _ settings: Settings) {
            self.query = query
            bin = query.objective.averageTokenTime.seconds
            let mean = view.lengths.mean(model: query.queued.model, inputTokens: query.inputTokens)
            let expected = query.queued.outputTokensHint.map(Double.init) ?? mean
            expectedTokens = max(1, min(query.queued.maxTokens, Int(expected)) - query.queued.outputTokens)
            let due = query.objective.timeToFirstToken.seconds * settings.timeToFirstToken
            self.due = query.firstToken == nil ? .seconds(rounding: due) : nil
        }

        func decodeSeconds(on worker: WorkerView) -> Double {
            worker.model.decode(
                sequences: Double(worker.load + 1),
                context: Double(worker.contextTokens + worker.waitingTokens + query.prefillTokens + expectedTokens)
            )
        }

        func fitsMemory(of worker: WorkerView) -> Bool {
            worker.load < worker.profile.limits.maximumSequences
                && worker.usedKVTokens + worker.waitingTokens + query.prefillTokens + expectedTokens
                    <= worker.admissibleKVTokens
        }

        func isInTime(onSlot slot: Int, in view: ClusterView, at now: Instant) -> Bool {
            guard let due else { return true }
            return view.predictedTimeToFirstToken(of: query, onSlot: slot, at: now) <= due
        }
    }
}
