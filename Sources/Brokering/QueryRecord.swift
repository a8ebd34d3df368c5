package import ServingModel

/// Everything the broker knows of one query, from acceptance until its result is forgotten.
///
/// ```
/// queued ⇄ placed → leased → ended
///    ↑                 │
///    └──── pausing ◀───┘ the attempt came to nothing
/// ```
package struct QueryRecord: Sendable {
    package enum State: Hashable, Sendable {
        /// Waits for a placement.
        case queued
        /// In a worker's queue at the broker; the worker has not pulled it yet.
        case placed(WorkerID)
        /// A worker runs it under this lease.
        case leased(WorkerID, Lease)
        /// Waits for its next attempt: until then, and until the journal has it that there is one.
        case pausing(until: Instant)
        case ended(Status)
    }

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

    package let number: QueryNumber
    package let id: QueryID
    package let model: String
    /// The place of its model's record, which is never forgotten; means nothing for a result that came from the journal.
    var home = 0
    /// Its request's bytes are dropped when the query has ended.
    package internal(set) var submission: Submission
    package let objective: ServiceLevelObjective
    package let arrival: Instant
    package let deadline: Instant?
    /// What is written down of it; `volatile` for a broker without a journal.
    package let durability: Durability

    package internal(set) var state = State.queued
    /// The attempt under way or waited for, from 1.
    package internal(set) var attempt = 1
    package internal(set) var output = OutputLog()
    package internal(set) var finish: FinishReason?
    package internal(set) var inputTokens: Int?
    package internal(set) var firstToken: Instant?
    package internal(set) var lastToken: Instant?
    package internal(set) var predictedTimeToFirstToken: Interval?
    /// Those that were placed, in order, each as it was placed last.
    package internal(set) var attempts: [AttemptRecord] = []
    package internal(set) var ended: Instant?
    /// When its client could be told that it was accepted; of traced queries only.
    package internal(set) var accepted: Instant?
    /// The worker of the latest attempt that started, for the client.
    package internal(set) var workerName = ""
    /// The latest attempt that a worker has taken; what `started` events tell.
    package internal(set) var startedAttempt = 0
    /// Attempts that came to nothing, over all brokers.
    package internal(set) var failures: [FailedAttempt] = []
    /// Brokers that found it unfinished.
    package internal(set) var restarts = 0
    /// From where on which attempt made the answer, newest last; those that a later one covers are dropped.
    package internal(set) var rewrites: [Rewrite] = []
    /// Tokens that the journal has in checkpoints, and when the last of them was written.
    private(set) var checkpointed: (tokens: Int, at: Instant)
    /// Where checkpoints end, in order: where a reset may come to after a restart.
    private var checkpoints: [Int] = []
    /// Its KV cache, left by a prefill worker for another; while a worker goes on with it, too.
    package internal(set) var handover: Handover?
    /// The worker on which its last attempt failed, if that may be the worker's fault and it is still there.
    var failedOn: WorkerID?
    /// The latest attempt in which it was handed over.
    var movedAttempt = 0
    /// What must be durable before its client is told of its acceptance, before it is told that the answer starts over
    /// (otherwise a crash could bring the old one back), before its next attempt is dispatched, and before its end is
    /// told: numbers of journal records.
    var acceptRecord: UInt64 = 0
    var resetRecord: UInt64 = 0
    var attemptRecord: UInt64 = 0
    var endRecord: UInt64 = 0
    /// Whether it stands in the broker's list of queries to place; it may have moved on since.
    var isListed = false
    /// Since when it waits for its worker to be free of other suspects.
    var heldBack: Instant?
    /// Whether it is to be forgotten with its last reader.
    var isOverdue = false
    /// Whether each of its readers is announced, so that further news need not be.
    var isAnnounced = false
    /// Who reads the answer.
    package internal(set) var readers: [StreamKey] = []

    package var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Whether a worker has it, or is to pull it.
    var isOnWorker: Bool {
        switch state {
        case .placed, .leased: true
        case .queued, .pausing, .ended: false
        }
    }

    /// Mean gap between the tokens so far; nil for fewer than two.
    package var averageTokenTime: Interval? {
        guard let firstToken, let lastToken, output.count > 1 else { return nil }
        return Interval(nanoseconds: (lastToken - firstToken).nanoseconds / Int64(output.count - 1))
    }

    /// Whether it came to its end within its objective.
    package var metObjective: Bool {
        guard case .ended(let status) = state, status.isOK, let firstToken, let lastToken else { return false }
        return objective.isMet(
            arrival: arrival,
            firstToken: firstToken,
            lastToken: lastToken,
            outputTokens: output.count
        )
    }

    init(
        number: QueryNumber,
        id: QueryID,
        model: String,
        submission: Submission,
        objective: ServiceLevelObjective,
        arrival: Instant,
        deadline: Instant?,
        durability: Durability
    ) {
        self.number = number
        self.id = id
        self.model = model
        self.submission = submission
        self.objective = objective
        self.arrival = arrival
        self.deadline = deadline
        self.durability = durability
        checkpointed = (0, arrival)
    }

    /// The present attempt begins.
    mutating func begin(_ lease: Lease, on worker: WorkerID, named name: String, at now: Instant) {
        state = .leased(worker, lease)
        heldBack = nil
        startedAttempt = attempt
        workerName = name
        if let last = attempts.indices.last { attempts[last].dispatched = now }
    }

    /// Whether this worker runs it.
    func isLeased(to worker: WorkerID) -> Bool {
        if case .leased(worker, _) = state { true } else { false }
    }

    /// Whether its KV cache may be handed from worker to worker.
    ///
    /// Once in an attempt, and no more after a cache did not arrive: one worker computes it then. So does the one that its
    /// client chose.
    var mayMove: Bool {
        submission.worker == nil && movedAttempt < attempt && !failures.contains { $0.reason == .handoverFailed }
    }

    /// Why the latest attempt came to nothing, if it did.
    var attemptFailure: Status? {
        attempts.indices.last.flatMap { attempts[$0].failure?.status }
    }

    /// Whether the present attempt has had a token; false, too, if it was never placed.
    var attemptHasToken: Bool {
        attempts.indices.last.map { attempts[$0].firstToken != nil } ?? false
    }

    /// Adds a report's tokens to the answer.
    ///
    /// - Returns: the bytes that they take; nil if they do not follow on the answer, or make it too long: nothing has
    ///   changed then.
    mutating func append(_ report: LeaseReport, maximumBytes: Int) -> Int? {
        guard report.firstIndex == output.count, output.count + report.tokens <= submission.maxTokens,
            report.tokenIDs.isEmpty || report.tokenIDs.count == report.tokens,
            output.byteCount + report.text.utf8.count <= maximumBytes
        else { return nil }
        let before = output.storedBytes
        output.append(count: report.tokens, ids: report.tokenIDs, text: report.text)
        return output.storedBytes - before
    }

    mutating func noteTokens(at now: Instant) {
        if firstToken == nil { firstToken = now }
        lastToken = now
    }

    /// The answer from here on is what `attempt` makes of it.
    mutating func rewrite(from index: Int, by attempt: Int) {
        rewrites.removeAll { $0.index >= index }
        rewrites.append(Rewrite(attempt: attempt, index: index))
    }

    /// All tokens so far are in checkpoints.
    mutating func noteCheckpoint(at now: Instant) {
        checkpointed = (output.count, now)
        if output.count > 0 { checkpoints.append(output.count) }
    }

    /// No checkpoint counts any more.
    mutating func voidCheckpoints() {
        checkpointed.tokens = 0
        checkpoints = []
    }

    /// The end of the first checkpoint beyond `index`.
    ///
    /// A reader is never told tokens on both sides of it in one piece, since it could not forget a part of that.
    func checkpoint(after index: Int) -> Int? {
        guard let last = checkpoints.last, last > index else { return nil }
        return checkpoints.first { $0 > index }
    }

    /// The first token that a reader does not know for certain who last heard of attempt `seen`; nil for all known.
    func firstRewritten(after seen: Int) -> Int? {
        rewrites.lazy.filter { $0.attempt > seen }.map(\.index).min()
    }

    /// The query as the scheduler sees it while it waits.
    func queuedQuery(at now: Instant) -> QueuedQuery {
        var query = QueuedQuery(
            number: number,
            id: id,
            model: model,
            attempt: attempt,
            age: now - arrival,
            inputTokens: inputTokens ?? submission.inputTokens,
            promptBytes: submission.promptBytes,
            maxTokens: submission.maxTokens,
            outputTokensHint: submission.outputTokensHint,
            outputTokens: output.count,
            objective: objective,
            priority: submission.priority,
            tenant: submission.tenant,
            remaining: deadline.map { max($0 - now, .zero) },
            blocks: submission.blocks,
            blockShare: Double(PromptBlocks.blockBytes) / Double(max(1, submission.promptBytes))
        )
        query.failedOn = failedOn
        if let handover {
            let age = now - (firstToken ?? now)
            query.handover = QueuedQuery.Handover(exchange: handover.exchange, firstTokenAge: age)
        }
        return query
    }
}
