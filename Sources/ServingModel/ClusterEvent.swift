/// What happens in a cluster, in the order the broker saw it: all that a scheduler knows.
///
/// A scheduler that connects hears first the events that rebuild the present state, then `snapshotComplete`, then
/// events as they happen. No prompt and no output is among them.
public enum ClusterEvent: Hashable, Sendable {
    // What is large lies elsewhere, so that a list of events is no larger than most of them need.
    indirect case workerJoined(WorkerJoined)
    case workerLeft(WorkerID, isDraining: Bool)
    indirect case queryQueued(QueuedQuery)
    /// The worker has pulled the query.
    case queryDispatched(QueryNumber, to: WorkerID, attempt: Int)
    case stepCompleted(StepCompleted)
    case queryEnded(QueryEnded)
    case snapshotComplete
}

public struct WorkerJoined: Hashable, Sendable {
    public var worker: WorkerID
    public var name: String
    public var engine: String
    public var contextLength: Int
    public var resumesPrefix: Bool
    /// Whether its engine keeps beginnings of prompts in its KV cache for queries to come.
    public var keepsPrefixes: Bool
    public var batching: BatchingMode
    public var profile: LatencyProfile
    /// The phase of queries that it is for.
    public var role = WorkerRole.both
    /// Where it leaves KV caches and takes them in; empty if it does neither.
    ///
    /// Workers with equal exchanges can go on with what the other began.
    public var kvExchange = ""

    public init(
        worker: WorkerID,
        name: String,
        engine: String,
        contextLength: Int,
        resumesPrefix: Bool,
        keepsPrefixes: Bool = false,
        batching: BatchingMode,
        profile: LatencyProfile
    ) {
        self.worker = worker
        self.name = name
        self.engine = engine
        self.contextLength = contextLength
        self.resumesPrefix = resumesPrefix
        self.keepsPrefixes = keepsPrefixes
        self.batching = batching
        self.profile = profile
    }
}

extension WorkerJoined {
    /// Whether it is there for a query of its model.
    ///
    /// - Parameter exchange: where the query's KV cache lies; nil if its prompt is to be computed.
    public func isMeant(forCacheIn exchange: String?) -> Bool {
        guard let exchange else { return role.takesPrompts }
        return role.takesDecodes && kvExchange == exchange && resumesPrefix
    }
}

/// A query that waits to be placed, as the scheduler sees it.
public struct QueuedQuery: Hashable, Sendable {
    public var number: QueryNumber
    public var id: QueryID
    public var model: String
    /// 1 for the first.
    public var attempt: Int
    /// How long ago it arrived, at the moment of the event.
    public var age: Interval
    /// Nil if only the worker's tokeniser can tell; `promptBytes` then has to do.
    public var inputTokens: Int?
    public var promptBytes: Int
    public var maxTokens: Int
    /// The client's own guess of the output's length.
    public var outputTokensHint: Int?
    /// Tokens that earlier attempts produced; they are prefilled again with the prompt.
    public var outputTokens: Int
    public var objective: ServiceLevelObjective
    /// Higher goes first; negative may be shed.
    public var priority: Int
    public var tenant: String
    /// Time left until it must not start any more; nil if it has no deadline.
    public var remaining: Interval?
    /// Hashes of the prompt's leading blocks, in order, each of everything up to the block's end; empty if unknown.
    public var blocks: [UInt64]
    /// The share of the prompt that each of them is.
    public var blockShare: Double
    /// Its KV cache lies ready for another worker: it needs no prefill there.
    public var handover: Handover?
    /// The worker on which its last attempt failed; better not the same again.
    public var failedOn: WorkerID?

    public struct Handover: Hashable, Sendable {
        /// Where it lies: for workers with an equal exchange.
        public var exchange: String
        /// How long ago the query's first token came, at the moment of the event.
        public var firstTokenAge: Interval

        public init(exchange: String, firstTokenAge: Interval) {
            self.exchange = exchange
            self.firstTokenAge = firstTokenAge
        }
    }

    public init(
        number: QueryNumber,
        id: QueryID,
        model: String,
        attempt: Int,
        age: Interval,
        inputTokens: Int?,
        promptBytes: Int,
        maxTokens: Int,
        outputTokensHint: Int?,
        outputTokens: Int,
        objective: ServiceLevelObjective,
        priority: Int,
        tenant: String,
        remaining: Interval?,
        blocks: [UInt64] = [],
        blockShare: Double = 0
    ) {
        self.number = number
        self.id = id
        self.model = model
        self.attempt = attempt
        self.age = age
        self.inputTokens = inputTokens
        self.promptBytes = promptBytes
        self.maxTokens = maxTokens
        self.outputTokensHint = outputTokensHint
        self.outputTokens = outputTokens
        self.objective = objective
        self.priority = priority
        self.tenant = tenant
        self.remaining = remaining
        self.blocks = blocks
        self.blockShare = blockShare
    }
}

/// One engine step of one worker: what it did, how long it took, and which queries got tokens.
public struct StepCompleted: Hashable, Sendable {
    public struct Advance: Hashable, Sendable {
        public var query: QueryNumber
        public var tokens: Int

        public init(query: QueryNumber, tokens: Int) {
            self.query = query
            self.tokens = tokens
        }
    }

    public var worker: WorkerID
    public var workload: StepWorkload
    public var duration: Interval
    public var advanced: [Advance]
    /// Queries taken by the worker but not yet running.
    public var waiting: Int
    public var freeKVTokens: Int

    public init(
        worker: WorkerID,
        workload: StepWorkload,
        duration: Interval,
        advanced: [Advance],
        waiting: Int,
        freeKVTokens: Int
    ) {
        self.worker = worker
        self.workload = workload
        self.duration = duration
        self.advanced = advanced
        self.waiting = waiting
        self.freeKVTokens = freeKVTokens
    }
}

/// A query's one and only end.
public struct QueryEnded: Hashable, Sendable {
    public var query: QueryNumber
    public var code: StatusCode
    /// As the worker counted them; 0 if none did.
    public var inputTokens: Int
    public var outputTokens: Int

    public init(query: QueryNumber, code: StatusCode, inputTokens: Int, outputTokens: Int) {
        self.query = query
        self.code = code
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
