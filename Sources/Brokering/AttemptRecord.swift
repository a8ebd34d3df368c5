package import ServingModel

/// Where one attempt of a query was placed last, what was predicted then, and what came of it.
package struct AttemptRecord: Sendable {
    package let number: Int
    package internal(set) var worker: WorkerID
    package internal(set) var workerName: String
    /// The scheduler's; empty if the broker placed it itself.
    package internal(set) var policy: String
    package internal(set) var placed: Instant
    /// Which of the broker's placements this was.
    var placement: UInt64
    /// How often it was placed before a worker pulled it.
    package internal(set) var placements = 1
    package internal(set) var dispatched: Instant?
    package internal(set) var firstToken: Instant?
    /// Why it came to nothing, and when.
    package internal(set) var failure: (status: Status, at: Instant)?
    /// The phase that it was placed for; an attempt that moves from worker to worker has a record for each.
    package internal(set) var phase = AttemptPhase.whole
    /// When its KV cache lay ready for the next.
    package internal(set) var handedOver: Instant?
    package internal(set) var predictedTimeToFirstToken: Interval?
    package internal(set) var predictedTokenTime: Interval?
    /// Nil if the policy gave none, or if it is too long ago.
    package internal(set) var explanation: PlacementExplanation?
}
