internal import ServingModel

/// A decision that placed nothing, and that the next one would come to as well unless something of note happens before.
///
/// Most rounds are of workers that have ended a step, and most of these change nothing for the queries that are held: a
/// batch that waits to be filled depends on the queue and on the worker whose turn it is, one that found no worker on
/// those whose turn it is.
struct Rest: Sendable {
    /// When time alone brings another decision.
    let until: Instant
    private let queue: UInt64
    private let fleet: UInt64
    private let pool: Int
    /// Slots of the workers that it depends on, whose turn it is first.
    private let candidates: [Int]
    private let tokenCap: Int

    /// nil if it depends on more than one can keep an eye on.
    init?(_ demand: Demand, until: Instant, _ candidates: ArraySlice<Int>, in view: ClusterView) {
        guard view.modelCount == 1, demand.ownOrder == nil, let first = candidates.first else { return nil }
        self.until = until
        queue = view.unplaced.version
        fleet = view.fleetVersion
        pool = demand.pool
        self.candidates = Array(candidates)
        tokenCap = view.tokenCap(on: first, pool: demand.pool)
    }

    /// Whether nothing of note has happened.
    func holds(in view: ClusterView, at now: Instant) -> Bool {
        now < until && view.unplaced.version == queue && view.fleetVersion == fleet && view.modelCount == 1
            && view.deferred.isEmpty && view.pools[pool].idle.isEmpty
            && view.stepless.allSatisfy { !candidates.contains($0) }
            && view.tokenCap(on: candidates[0], pool: pool) == tokenCap
    }
}
