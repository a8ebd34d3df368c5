package import ServingModel

/// The scheduler as a pure machine: events in, placements out.
///
/// It is soft state. Until the snapshot of a new connection is complete it places nothing.
package struct Scheduler: Sendable {
    package private(set) var view = ClusterView()
    package private(set) var placed: UInt64 = 0
    private var policy: any PlacementPolicy
    private var isReady = false

    package init(policy: any PlacementPolicy) {
        self.policy = policy
    }

    /// Forgets everything: the connection was lost, and the next one begins with a snapshot.
    package mutating func reset() {
        view = ClusterView()
        isReady = false
    }

    package mutating func apply(_ events: [ClusterEvent], at now: Instant) {
        for event in events {
            view.apply(event, at: now)
            if case .snapshotComplete = event { isReady = true }
        }
    }

    /// Decides about what waits, once after each round of events and whenever the last decision asked for it.
    ///
    /// - Returns: decisions, and when to look again at the latest.
    package mutating func decide(at now: Instant) -> (placements: [Placement], lookAgain: Instant?) {
        guard isReady, !view.unplaced.isEmpty else { return ([], nil) }
        let decision = policy.decide(in: &view, at: now)
        placed += UInt64(decision.placements.count)
        return decision
    }
}
