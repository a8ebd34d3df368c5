package import RecordTables
package import ServingModel

/// Where one attempt of a query was placed last, what was predicted then, and what came of it.
package struct AttemptRecord: Sendable {
    /// What becomes of few attempts.
    struct Mishap: Seldomness {
        var failure: (status: Status, at: Instant)?
        var handedOver: Instant?
    }

    package let number: Int
    package internal(set) var worker: WorkerID
    package internal(set) var workerName: String
    /// The scheduler's; empty if the broker placed it itself.
    package internal(set) var policy: String
    package internal(set) var placed: Instant
    /// Which of the broker's placements this was: by it the reasons are found.
    var placement: UInt64
    /// How often it was placed before a worker pulled it.
    package internal(set) var placements = 1
    @Compact package internal(set) var dispatched: Instant?
    @Compact package internal(set) var firstToken: Instant?
    @Compact package internal(set) var predictedTimeToFirstToken: Interval?
    @Compact package internal(set) var predictedTokenTime: Interval?
    private var mishap = Seldom<Mishap>()
    /// The phase that it was placed for; an attempt that moves from worker to worker has a record for each.
    package internal(set) var phase = AttemptPhase.whole

    /// Why it came to nothing, and when.
    package internal(set) var failure: (status: Status, at: Instant)? {
        get { mishap.part({ $0.failure }, or: nil) }
        set { if newValue != nil || mishap.isPresent { mishap.change { $0.failure = newValue } } }
    }

    /// When its KV cache lay ready for the next.
    package internal(set) var handedOver: Instant? {
        get { mishap.part({ $0.handedOver }, or: nil) }
        set { if newValue != nil || mishap.isPresent { mishap.change { $0.handedOver = newValue } } }
    }

    init(_ placement: Placement, number placements: UInt64, on workerName: String, by policy: String, at now: Instant) {
        number = placement.attempt
        worker = placement.worker
        self.workerName = workerName
        self.policy = policy
        placed = now
        self.placement = placements
        predictedTimeToFirstToken = placement.predictedTimeToFirstToken
        predictedTokenTime = placement.predictedTokenTime
    }
}

extension AttemptRecord {
    /// - Parameter explanation: why it was placed there, if that is still known.
    func explained(from arrival: Instant, _ explanation: PlacementExplanation?) -> QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: number,
            worker: worker,
            workerName: workerName,
            policy: policy,
            placed: placed - arrival
        )
        attempt.placements = placements
        attempt.dispatched = dispatched.map { $0 - arrival }
        attempt.firstToken = firstToken.map { $0 - arrival }
        attempt.failure = failure?.status
        attempt.failed = failure.map { $0.at - arrival }
        attempt.predictedTimeToFirstToken = predictedTimeToFirstToken
        attempt.predictedTokenTime = predictedTokenTime
        attempt.explanation = explanation
        attempt.phase = phase
        attempt.handedOver = handedOver.map { $0 - arrival }
        return attempt
    }
}
