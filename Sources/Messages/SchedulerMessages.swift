package import ServingModel

/// What a scheduler says to the broker.
package enum SchedulerReport: Hashable, Sendable {
    /// - Parameter isStandby: waits its turn instead of taking over.
    case registration(policy: String, isStandby: Bool)
    case placements([Placement])
    case insight(Insight)
    /// One for each model.
    case wishes([FleetWish])
}

/// What the scheduler has learnt, for status and metrics.
package struct Insight: Hashable, Sendable {
    package var workers: [WorkerInsight]
    package var decisions: UInt64
    package var decisionP50Microseconds: Double
    package var decisionP99Microseconds: Double

    package init(
        workers: [WorkerInsight],
        decisions: UInt64,
        decisionP50Microseconds: Double,
        decisionP99Microseconds: Double
    ) {
        self.workers = workers
        self.decisions = decisions
        self.decisionP50Microseconds = decisionP50Microseconds
        self.decisionP99Microseconds = decisionP99Microseconds
    }
}

package struct WorkerInsight: Hashable, Sendable {
    package var worker: WorkerID
    package var profile: LatencyProfile
    /// Mean |predicted − actual| / actual over recent steps.
    package var stepError: Double
    /// Mean (predicted − actual) / actual over recent steps.
    package var stepBias: Double
    package var steps: UInt64

    package init(worker: WorkerID, profile: LatencyProfile, stepError: Double, stepBias: Double, steps: UInt64) {
        self.worker = worker
        self.profile = profile
        self.stepError = stepError
        self.stepBias = stepBias
        self.steps = steps
    }
}

/// Numbered events, several to a message.
package struct ClusterEvents: Hashable, Sendable {
    package var firstNumber: UInt64
    package var events: [ClusterEvent]

    package init(firstNumber: UInt64, events: [ClusterEvent]) {
        self.firstNumber = firstNumber
        self.events = events
    }
}
