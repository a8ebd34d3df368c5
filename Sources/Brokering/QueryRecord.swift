package import RecordTables
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

    package let number: QueryNumber
    package let id: QueryID
    package let arrival: Instant
    @Compact package private(set) var deadline: Instant?
    /// With its model and its objective; without its request's bytes once the query has ended.
    package internal(set) var submission: Submission
    package internal(set) var state = State.queued
    /// The attempt under way or waited for, from 1.
    package internal(set) var attempt = 1
    /// The latest attempt that a worker has taken; what `started` events tell.
    package internal(set) var startedAttempt = 0
    /// The attempt that was placed last, as it was placed last; nil before the first.
    package internal(set) var latest: AttemptRecord?
    package internal(set) var output = OutputLog()
    @Compact package internal(set) var inputTokens: Int?
    @Compact package internal(set) var firstToken: Instant?
    @Compact package internal(set) var lastToken: Instant?
    @Compact package internal(set) var predictedTimeToFirstToken: Interval?
    @Compact package internal(set) var ended: Instant?
    /// The worker of the latest attempt that started, for the client.
    package internal(set) var workerName = ""
    /// What must be durable before its client is told of its acceptance, and of its end: numbers of journal records.
    var acceptRecord: UInt64 = 0
    var endRecord: UInt64 = 0
    var incidents = Seldom<Incidents>()
    /// The place of its model's record, which is never forgotten; means nothing for a result that came from the journal.
    var home = 0
    /// Who reads the answer.
    package internal(set) var readers = ReaderList()
    package internal(set) var finish: FinishReason?
    /// What is written down of it; `volatile` for a broker without a journal.
    package let durability: Durability
    /// Whether it stands in the broker's list of queries to place; it may have moved on since.
    var isListed = false
    /// Whether it is to be forgotten with its last reader.
    var isOverdue = false
    /// Whether each of its readers is announced, so that further news need not be.
    var isAnnounced = false

    package var model: String { submission.model }

    package var objective: ServiceLevelObjective { submission.objective ?? .standard }

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
        self.submission = submission
        self.arrival = arrival
        self.durability = durability
        self.deadline = deadline
        self.submission.model = model
        self.submission.objective = objective
    }

    /// The present attempt begins.
    mutating func begin(_ lease: Lease, on worker: WorkerID, named name: String, at now: Instant) {
        state = .leased(worker, lease)
        if incidents.isPresent { heldBack = nil }
        startedAttempt = attempt
        workerName = name
        latest?.dispatched = now
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
    var attemptFailure: Status? { latest?.failure?.status }

    /// Whether the present attempt has had a token; false, too, if it was never placed.
    var attemptHasToken: Bool { latest?.firstToken != nil }

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
