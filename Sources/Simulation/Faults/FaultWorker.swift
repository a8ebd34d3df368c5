internal import Batching
internal import Brokering
internal import ServingModel

/// One worker's process: the production batch around an engine whose tokens are known beforehand.
struct FaultWorker: Sendable {
    struct Sequence: Sendable {
        let lease: Lease
        let work: Int
        let attempt: Int
        let resumed: Int
        var nextIndex: Int
        /// Whether its KV cache is to be left for another worker with its next token.
        var handsOver = false
        /// Given up during a step.
        var isCancelled = false
    }

    let joined: WorkerJoined
    /// Whether its engine tells tokens' identifiers.
    let knowsIDs: Bool
    /// Whether it goes on after its session was lost, as no worker should.
    let isZombie: Bool
    /// Steps whose tokens go into one report.
    let flushEvery: Int
    let stepMilliseconds: Double

    var batch: ContinuousBatch
    var sequences: [Int: Sequence] = [:]
    var nextSequence = 1
    var taken: UInt64 = 0
    var grantTold: UInt64 = 0
    var step: BatchStep?
    var steps = 0
    var isHanging = false
    var isDraining = false
    var progress: [LeaseReport] = []
    /// Names of the KV caches that it has left, by their leases.
    var left: [Lease: String] = [:]

    init(
        joined: WorkerJoined,
        knowsIDs: Bool,
        isZombie: Bool,
        flushEvery: Int,
        stepMilliseconds: Double
    ) {
        self.joined = joined
        self.knowsIDs = knowsIDs
        self.isZombie = isZombie
        self.flushEvery = flushEvery
        self.stepMilliseconds = stepMilliseconds
        let profile = joined.profile
        batch = ContinuousBatch(mode: joined.batching, kvCache: profile.kvCache, limits: profile.limits)
    }

    /// Everything is gone with the process.
    mutating func restart() {
        self = FaultWorker(
            joined: joined,
            knowsIDs: knowsIDs,
            isZombie: isZombie,
            flushEvery: flushEvery,
            stepMilliseconds: stepMilliseconds
        )
    }

    /// The session is over, and everything in it void.
    mutating func reset() {
        if !isZombie {
            for key in sequences.keys.sorted() { cancel(key) }
            progress.removeAll()
        }
        taken = 0
        grantTold = 0
        isDraining = false
    }

    /// Takes a query whose KV cache is not there.
    mutating func refuse(_ assignment: Assignment, _ status: Status) {
        taken += 1
        var report = LeaseReport(lease: assignment.lease)
        report.failure = status
        progress.append(report)
    }

    mutating func take(_ assignment: Assignment, of work: FaultWork) {
        taken += 1
        let resumed = assignment.resumedTokens.count
        guard !work.isUnservable else {
            var report = LeaseReport(lease: assignment.lease)
            report.failure = Status(.invalidArgument, .malformed, "the engine cannot read this")
            progress.append(report)
            return
        }
        let key = nextSequence
        nextSequence += 1
        sequences[key] = Sequence(
            lease: assignment.lease,
            work: work.number,
            attempt: assignment.attempt,
            resumed: resumed,
            nextIndex: resumed,
            handsOver: assignment.handsOver
        )
        guard assignment.kvCache.isEmpty else {
            return batch.enqueuePrefilled(SequenceKey(rawValue: key), contextTokens: work.inputTokens + resumed)
        }
        batch.enqueue(SequenceKey(rawValue: key), promptTokens: work.inputTokens, generatedTokens: resumed)
    }

    mutating func revoke(_ leases: [Lease]) {
        for key in sequences.keys.sorted() where sequences[key].map({ leases.contains($0.lease) }) == true {
            cancel(key)
        }
    }

    private mutating func cancel(_ key: Int) {
        if batch.cancel(SequenceKey(rawValue: key)) == .atStepEnd {
            sequences[key]?.isCancelled = true
        } else {
            sequences[key] = nil
        }
    }

    /// The pull that is due; nil if the broker knows of all the room there is.
    mutating func grant() -> UInt64? {
        let room = max(2 * joined.profile.limits.maximumSequences - sequences.count, 0)
        let granted = taken + UInt64(room)
        guard granted > grantTold, !isDraining else { return nil }
        grantTold = granted
        return granted
    }

    /// Puts tokens of one sequence on record; those of several steps go together.
    mutating func report(_ report: LeaseReport) {
        if let last = progress.lastIndex(where: { $0.lease == report.lease }),
            progress[last].finish == nil, progress[last].failure == nil, report.failure == nil,
            progress[last].tokens > 0, progress[last].firstIndex + progress[last].tokens == report.firstIndex
        {
            progress[last].tokens += report.tokens
            progress[last].tokenIDs += report.tokenIDs
            progress[last].text += report.text
            progress[last].finish = report.finish
            progress[last].inputTokens = report.inputTokens
        } else {
            progress.append(report)
        }
    }
}
