internal import RecordTables
package import ServingModel

/// What happens to few queries: it takes memory of those alone.
extension QueryRecord {
    /// A KV cache that a worker has left.
    package struct Handover: Hashable, Sendable {
        package var kvCache: String
        /// Where it lies: for workers with an equal one.
        package var exchange: String
        /// Who left it, and under which lease: who can drop it, should nobody want it.
        var worker: WorkerID
        var lease: Lease
        /// Whether some worker was sent to take it.
        var isTaken = false
    }

    struct Incidents: Seldomness {
        var earlier: [AttemptRecord] = []
        var failures: [FailedAttempt] = []
        var failedOn: WorkerID?
        var heldBack: Instant?
        var restarts = 0
        var rewrites: [Rewrite] = []
        var checkpointedTokens = 0
        var checkpointedAt: Instant?
        /// Where checkpoints end, in order: where a reset may come to after a restart.
        var checkpoints: [Int] = []
        var handover: Handover?
        var movedAttempt = 0
        var accepted: Instant?
        var resetRecord: UInt64 = 0
        var attemptRecord: UInt64 = 0
    }

    /// Those that were placed, in order, each as it was placed last.
    package var attempts: [AttemptRecord] { earlier + (latest.map { [$0] } ?? []) }

    /// Attempts before the latest.
    var earlier: [AttemptRecord] { incidents.part({ $0.earlier }, or: []) }

    /// Attempts that came to nothing, over all brokers.
    package internal(set) var failures: [FailedAttempt] {
        get { incidents.part({ $0.failures }, or: []) }
        set { if !newValue.isEmpty || incidents.isPresent { incidents.change { $0.failures = newValue } } }
    }

    /// The worker on which its last attempt failed, if that may be the worker's fault and it is still there.
    var failedOn: WorkerID? {
        get { incidents.part({ $0.failedOn }, or: nil) }
        set { if newValue != nil || incidents.isPresent { incidents.change { $0.failedOn = newValue } } }
    }

    /// Since when it waits for its worker to be free of other suspects.
    var heldBack: Instant? {
        get { incidents.part({ $0.heldBack }, or: nil) }
        set { if newValue != nil || incidents.isPresent { incidents.change { $0.heldBack = newValue } } }
    }

    /// Brokers that found it unfinished.
    package internal(set) var restarts: Int {
        get { incidents.part({ $0.restarts }, or: 0) }
        set { if newValue != 0 || incidents.isPresent { incidents.change { $0.restarts = newValue } } }
    }

    /// From where on which attempt made the answer, newest last; those that a later one covers are dropped.
    package internal(set) var rewrites: [Rewrite] {
        get { incidents.part({ $0.rewrites }, or: []) }
        set { if !newValue.isEmpty || incidents.isPresent { incidents.change { $0.rewrites = newValue } } }
    }

    /// Tokens that the journal has in checkpoints, and when the last of them was written.
    var checkpointed: (tokens: Int, at: Instant) {
        incidents.part({ ($0.checkpointedTokens, $0.checkpointedAt ?? arrival) }, or: (0, arrival))
    }

    /// Its KV cache, left by a prefill worker for another; while a worker goes on with it, too.
    package internal(set) var handover: Handover? {
        get { incidents.part({ $0.handover }, or: nil) }
        set { if newValue != nil || incidents.isPresent { incidents.change { $0.handover = newValue } } }
    }

    /// The latest attempt in which it was handed over.
    var movedAttempt: Int {
        get { incidents.part({ $0.movedAttempt }, or: 0) }
        set { if newValue != 0 || incidents.isPresent { incidents.change { $0.movedAttempt = newValue } } }
    }

    /// When its client could be told that it was accepted; of traced queries only.
    package internal(set) var accepted: Instant? {
        get { incidents.part({ $0.accepted }, or: nil) }
        set { if newValue != nil || incidents.isPresent { incidents.change { $0.accepted = newValue } } }
    }

    /// What must be durable before its client is told that the answer starts over: otherwise a crash could bring the old
    /// one back.
    var resetRecord: UInt64 {
        get { incidents.part({ $0.resetRecord }, or: 0) }
        set { if newValue != 0 || incidents.isPresent { incidents.change { $0.resetRecord = newValue } } }
    }

    /// What must be durable before its next attempt is dispatched.
    var attemptRecord: UInt64 {
        get { incidents.part({ $0.attemptRecord }, or: 0) }
        set { if newValue != 0 || incidents.isPresent { incidents.change { $0.attemptRecord = newValue } } }
    }
}

extension QueryRecord {
    /// The present attempt was placed: anew, or for the first time.
    mutating func place(_ attempt: consuming AttemptRecord) {
        if let latest {
            if latest.number == attempt.number, latest.phase != .prefill {
                attempt.placements += latest.placements
            } else {
                incidents.change { $0.earlier.append(latest) }
            }
        }
        latest = attempt
    }

    /// The answer from here on is what `attempt` makes of it.
    mutating func rewrite(from index: Int, by attempt: Int) {
        incidents.change {
            $0.rewrites.removeAll { $0.index >= index }
            $0.rewrites.append(Rewrite(attempt: attempt, index: index))
        }
    }

    /// All tokens so far are in checkpoints.
    mutating func noteCheckpoint(at now: Instant) {
        let tokens = output.count
        incidents.change {
            $0.checkpointedTokens = tokens
            $0.checkpointedAt = now
            if tokens > 0 { $0.checkpoints.append(tokens) }
        }
    }

    /// No checkpoint counts any more.
    mutating func voidCheckpoints() {
        guard incidents.isPresent else { return }
        incidents.change {
            $0.checkpointedTokens = 0
            $0.checkpoints = []
        }
    }

    /// The end of the first checkpoint beyond `index`.
    ///
    /// A reader is never told tokens on both sides of it in one piece, since it could not forget a part of that.
    func checkpoint(after index: Int) -> Int? {
        guard let last = incidents.part({ $0.checkpoints.last }, or: nil), last > index else { return nil }
        return incidents.part({ $0.checkpoints.first { $0 > index } }, or: nil)
    }

    /// The first token that a reader does not know for certain who last heard of attempt `seen`; nil for all known.
    func firstRewritten(after seen: Int) -> Int? {
        rewrites.lazy.filter { $0.attempt > seen }.map(\.index).min()
    }
}
