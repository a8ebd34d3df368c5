package import ServingModel

/// One query that has not ended, as the scheduler sees it.
package struct QueryView: Sendable {
    package enum Stage: Hashable, Sendable {
        case unplaced
        /// Sent to a worker's queue; no token from there yet.
        case waiting(WorkerID)
        case running(WorkerID)
    }

    package let queued: QueuedQuery
    package let arrival: Instant
    /// Prompt and output that an earlier attempt produced: what a prefill takes in; 0 if `arrivesPrefilled`.
    package internal(set) var prefillTokens: Int
    /// Its prompt was computed elsewhere and its KV cache comes along: it decodes at once (split-phase serving).
    package internal(set) var arrivesPrefilled = false
    package internal(set) var stage = Stage.unplaced
    /// Output so far, that of earlier attempts included; while it runs, as of its first token on this worker.
    package internal(set) var outputTokens: Int
    package internal(set) var firstToken: Instant?

    /// Where its KV cache lies ready; nil if it needs a prefill.
    var exchange: String? { arrivesPrefilled ? queued.handover?.exchange ?? "" : nil }

    /// The same as one whose KV cache is of no use to anybody.
    var withoutCache: QueryView {
        guard arrivesPrefilled else { return self }
        var query = self
        query.prefillTokens = inputTokens + queued.outputTokens
        query.arrivesPrefilled = false
        return query
    }

    /// The client's guess of its output's length; 0 if there is none.
    package var lengthHint: Int { queued.outputTokensHint ?? 0 }
    package var number: QueryNumber { queued.number }
    package var objective: ServiceLevelObjective { queued.objective }
    /// When its first token is due; nothing can be late any more once it has come.
    package var deadline: Instant { arrival + queued.objective.timeToFirstToken }

    package var worker: WorkerID? {
        switch stage {
        case .unplaced: nil
        case .waiting(let worker), .running(let worker): worker
        }
    }

    /// The prompt alone.
    package var inputTokens: Int {
        arrivesPrefilled ? queued.inputTokens ?? 0 : prefillTokens - queued.outputTokens
    }
    /// What it holds of a worker's KV cache as soon as it runs there.
    package var contextTokens: Int { inputTokens + queued.outputTokens }
}

/// A query that waits to be placed: what the central queue's order and the forming of batches need.
package struct UnplacedQuery: Hashable, Comparable, Sendable {
    package let deadline: Instant
    package let number: QueryNumber
    package let prefillTokens: Int
    /// What it holds of a worker's KV cache as soon as it runs there.
    package let contextTokens: Int
    /// The most that it may grow to.
    package let longestContext: Int
    package let priority: Int
    package let tenant: String
    /// When its first token came, in seconds, if it did elsewhere: only its ATGT can still be missed.
    package let firstToken: Double?
    /// Output so far.
    package let outputTokens: Int
    /// TTFT objective in seconds.
    package let firstTokenTime: Double
    /// ATGT objective in seconds.
    package let tokenTime: Double
    /// The client's guess of its output's length; 0 if there is none.
    package let lengthHint: Int
    /// Whether it says what its prompt begins with.
    package let namesPrefix: Bool

    init(_ query: QueryView) {
        // With its first token out, what arrives prefilled loses by every moment it is held.
        deadline = query.arrivesPrefilled ? query.arrival : query.deadline
        number = query.number
        prefillTokens = query.prefillTokens
        contextTokens = query.contextTokens
        longestContext = query.inputTokens + query.queued.maxTokens
        priority = query.queued.priority
        tenant = query.queued.tenant
        firstToken = query.firstToken?.seconds
        outputTokens = query.outputTokens
        firstTokenTime = query.objective.timeToFirstToken.seconds
        tokenTime = query.objective.averageTokenTime.seconds
        lengthHint = query.lengthHint
        namesPrefix = !query.queued.blocks.isEmpty && query.prefillTokens > 0
    }

    package var hasStarted: Bool { firstToken != nil }

    package static func < (left: UnplacedQuery, right: UnplacedQuery) -> Bool {
        (left.deadline, left.number) < (right.deadline, right.number)
    }
}
