package import ServingModel

/// A rule for where queries go: the one protocol to implement for a policy of your own.
///
/// After each round of events the scheduler asks it to `decide`. It places as many of `view.unplaced` as it likes, by
/// `view.place(…)` so that the next decision sees the last; what it holds back is asked for again with the next event,
/// or at the instant it names. A policy keeps no clock and draws randomness only from its seed.
package protocol PlacementPolicy: Sendable {
    /// Places queries.
    ///
    /// - Returns: the decisions, and when to be asked again at the latest if nothing happens; nil for not before something does.
    mutating func decide(in view: inout ClusterView, at now: Instant) -> (placements: [Placement], lookAgain: Instant?)
}

/// A policy that places every query at once, on the worker that it likes best.
package protocol ImmediatePolicy: PlacementPolicy {
    /// The worker for a query, among at least one that serve its model, in order.
    mutating func choose(
        for query: QueryView,
        among workers: [WorkerView],
        at now: Instant
    ) -> (worker: WorkerID, predictedTimeToFirstToken: Interval?)
}

extension ImmediatePolicy {
    package mutating func decide(
        in view: inout ClusterView,
        at now: Instant
    ) -> (placements: [Placement], lookAgain: Instant?) {
        var placements: [Placement] = []
        for number in view.unplaced {
            guard let query = view.queries[number] else { continue }
            let candidates = view.workers(serving: query.queued.model)
            guard !candidates.isEmpty else { continue }
            let choice = choose(for: query, among: candidates, at: now)
            view.place(number, on: choice.worker)
            placements.append(
                Placement(
                    query: number,
                    attempt: query.queued.attempt,
                    worker: choice.worker,
                    predictedTimeToFirstToken: choice.predictedTimeToFirstToken
                )
            )
        }
        return (placements, nil)
    }
}
