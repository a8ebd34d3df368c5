package import ServingModel

/// What a worker says to the broker.
package enum WorkerReport: Hashable, Sendable {
    case registration(WorkerRegistration)
    /// Queries it is willing to take in all since it registered.
    case pull(granted: UInt64)
    case step(StepReport)
    case drain
}

package struct WorkerRegistration: Hashable, Sendable {
    package var name: String
    package var engine: String
    package var contextLength: Int
    package var resumesPrefix: Bool
    package var keepsPrefixes: Bool
    package var batching: BatchingMode
    /// Its model's name is the one that clients ask for.
    package var profile: LatencyProfile
    package var role = WorkerRole.both
    /// Where it leaves KV caches and takes them in; empty if it does neither.
    package var kvExchange = ""

    package init(
        name: String,
        engine: String,
        contextLength: Int,
        resumesPrefix: Bool,
        keepsPrefixes: Bool = false,
        batching: BatchingMode,
        profile: LatencyProfile
    ) {
        self.name = name
        self.engine = engine
        self.contextLength = contextLength
        self.resumesPrefix = resumesPrefix
        self.keepsPrefixes = keepsPrefixes
        self.batching = batching
        self.profile = profile
    }
}

/// One engine step, for all the sequences in it.
package struct StepReport: Hashable, Sendable {
    /// Nil if nothing was computed.
    package var workload: StepWorkload?
    package var duration: Interval
    package var progress: [LeaseProgress]
    package var waiting: Int
    package var freeKVTokens: Int

    package init(
        workload: StepWorkload?,
        duration: Interval,
        progress: [LeaseProgress],
        waiting: Int,
        freeKVTokens: Int
    ) {
        self.workload = workload
        self.duration = duration
        self.progress = progress
        self.waiting = waiting
        self.freeKVTokens = freeKVTokens
    }
}

/// What became of one lease in one step.
package struct LeaseProgress: Hashable, Sendable {
    package var lease: Lease
    package var tokens: TokensEvent?
    package var finished: FinishedEvent?
    package var failed: Status?
    package var handedOver: HandedOverEvent?

    package init(lease: Lease, tokens: TokensEvent? = nil, finished: FinishedEvent? = nil, failed: Status? = nil) {
        self.lease = lease
        self.tokens = tokens
        self.finished = finished
        self.failed = failed
    }
}

/// A worker has left a query's KV cache for another.
package struct HandedOverEvent: Hashable, Sendable {
    /// Its name within the exchange.
    package var kvCache: String
    package var inputTokens: Int
    package var bytes: Int

    package init(kvCache: String, inputTokens: Int, bytes: Int) {
        self.kvCache = kvCache
        self.inputTokens = inputTokens
        self.bytes = bytes
    }
}

/// What the broker says to a worker.
package enum WorkerCommand: Hashable, Sendable {
    case registered(worker: WorkerID)
    case batch([WireAssignment])
    case cancel([Lease])
    case drain
}

/// One attempt at one query, handed to a worker.
package struct WireAssignment: Hashable, Sendable {
    package var lease: Lease
    package var queryID: String
    package var attempt: Int
    /// Time left until the query's deadline; nil if it has none.
    package var remaining: Interval?
    /// A `GenerateRequest`: byte for byte as the client sent it, or as the value that one of this process gave.
    package var request: OpaqueRequest
    package var resumedTokens: [Int32]
    /// As in W3C's header; empty if nobody traces the query.
    package var traceparent: String
    /// Whether the KV cache is to be left for another worker once the first token is out.
    package var handsOver = false
    /// The KV cache to take in instead of computing the prompt; empty for none.
    package var kvCache = ""

    package init(
        lease: Lease,
        queryID: String,
        attempt: Int,
        remaining: Interval?,
        request: OpaqueRequest,
        resumedTokens: [Int32],
        traceparent: String = ""
    ) {
        self.lease = lease
        self.queryID = queryID
        self.attempt = attempt
        self.remaining = remaining
        self.request = request
        self.resumedTokens = resumedTokens
        self.traceparent = traceparent
    }
}
