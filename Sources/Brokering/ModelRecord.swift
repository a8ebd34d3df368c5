package import ServingModel

/// What the broker counts per model.
package struct ModelRecord: Sendable {
    /// Serving, draining ones not counted.
    package internal(set) var workers = 0
    package internal(set) var contextLength = 0
    /// When the last serving worker left.
    var abandoned: Instant?
    /// Accepted and on no worker yet; on a worker.
    package internal(set) var queued = 0
    package internal(set) var running = 0
    package internal(set) var completed: UInt64 = 0
    package internal(set) var failed: UInt64 = 0
    package internal(set) var cancelled: UInt64 = 0
    package internal(set) var refused: UInt64 = 0
    package internal(set) var retried: UInt64 = 0
    package internal(set) var outputTokens: UInt64 = 0
    /// Tokens that workers reported for queries that had ended: the client had left or cancelled, or the deadline had
    /// passed, and the worker did not know it yet.
    package internal(set) var wastedTokens: UInt64 = 0
    package internal(set) var recent = RecentOutcomes()
    package internal(set) var predictions = PredictionErrors()
    package internal(set) var figures = ModelFigures()
    package internal(set) var admission: AdmissionControl?
    /// nil until it is asked for, and again when a worker has come or gone.
    var reach: Reach?

    /// What the best of its workers can do: the longest context, and the shortest steps there can be.
    struct Reach: Sendable {
        private(set) var contextLength: Int
        private(set) var prefill: Interval
        private(set) var step: Interval

        init(_ worker: WorkerJoined) {
            contextLength = worker.contextLength
            prefill = worker.profile.duration(of: .init(kind: .prefill, prefillTokens: 1, prefillSquares: 1))
            step = worker.profile.duration(of: .init(kind: .decode, decodeSequences: 1, contextTokens: 1))
        }

        func including(_ worker: WorkerJoined) -> Reach {
            var reach = Reach(worker)
            reach.contextLength = max(reach.contextLength, contextLength)
            reach.prefill = min(reach.prefill, prefill)
            reach.step = min(reach.step, step)
            return reach
        }
    }

    init(admission settings: AdmissionSettings? = nil) {
        admission = settings.map { AdmissionControl(settings: $0) }
    }

    /// Whether an end says something about the service; others are the client's doing.
    static func judges(_ status: Status) -> Bool {
        switch status.code {
        case .cancelled, .invalidArgument, .outOfRange, .failedPrecondition, .unimplemented: false
        default: true
        }
    }

    mutating func noteEnd(_ query: QueryOutcome) {
        outputTokens += UInt64(query.outputTokens)
        figures.noteEnd(query)
        switch query.status.code {
        case .ok: completed += 1
        case .cancelled: cancelled += 1
        default: failed += 1
        }
        if Self.judges(query.status) { recent.note(query) }
    }
}

/// The latest ended queries, for attainment and latency quantiles.
package struct RecentOutcomes: Sendable {
    package static let capacity = 512

    package struct Outcome: Hashable, Sendable {
        package var metObjective: Bool
        /// Nil if there was no first token.
        package var timeToFirstToken: Interval?
        /// Nil for fewer than two tokens.
        package var averageTokenTime: Interval?
    }

    private var ring: [Outcome] = []
    private var next = 0

    package var outcomes: [Outcome] { ring }

    /// Takes in a query that has ended.
    mutating func note(_ query: QueryOutcome) {
        let outcome = Outcome(
            metObjective: query.metObjective,
            timeToFirstToken: query.timeToFirstToken,
            averageTokenTime: query.averageTokenTime
        )
        if ring.count < Self.capacity {
            ring.append(outcome)
        } else {
            ring[next] = outcome
        }
        next = (next + 1) % Self.capacity
    }
}
