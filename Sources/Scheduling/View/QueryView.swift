package import RecordTables
package import ServingModel

/// One query that has not ended, as the scheduler sees it.
package struct QueryView: Sendable {
    package enum Stage: Hashable, Sendable {
        case unplaced
        /// Sent to a worker's queue; no token from there yet.
        case waiting(WorkerID)
        case running(WorkerID)
    }

    package let queued: QueuedFacts
    package let arrival: Instant
    /// Prompt and output that an earlier attempt produced: what a prefill takes in; 0 if `arrivesPrefilled`.
    package internal(set) var prefillTokens: Int
    /// Its prompt was computed elsewhere and its KV cache comes along: it decodes at once (split-phase serving).
    package internal(set) var arrivesPrefilled = false
    package internal(set) var stage = Stage.unplaced
    /// Output so far, that of earlier attempts included; while it runs, as of its first token on this worker.
    package internal(set) var outputTokens: Int
    @Compact package internal(set) var firstToken: Instant?

    init(_ query: QueuedQuery, arrival: Instant, prefillTokens: Int) {
        queued = QueuedFacts(query)
        self.arrival = arrival
        self.prefillTokens = prefillTokens
        outputTokens = query.outputTokens
    }

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
