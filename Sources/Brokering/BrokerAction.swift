package import ServingModel

/// What the broker wants done; its shell does it, in order.
package enum BrokerAction: Hashable, Sendable {
    // The largest are the rarest, and lie elsewhere: a list of actions is moved about several times.
    /// There is news for this stream: take it with `nextDelivery` when the client's connection has room.
    case announce(StreamKey)
    case dispatch(WorkerID, [Assignment])
    case revoke(WorkerID, [Lease])
    /// For the scheduler, if one is attached.
    case tell(ClusterEvent)
    /// For the journal, in order; the broker hears with `journaled` when it is durable.
    case write(JournalRecord)
    /// A question to the journal, answered with `found`.
    case lookUp(JournalLookup, ticket: UInt64)
    /// A call that waited for such an answer cannot be served.
    case refuse(StreamKey, Status)
    /// What a call wanted that waited for such an answer is done.
    case answer(StreamKey)
    /// What a call wanted to know that waited for such an answer.
    indirect case explain(StreamKey, QueryExplanation)
    /// A query that is traced has ended.
    indirect case trace(QueryTrace)
    /// A worker that no longer makes progress: its session is to be ended.
    case expel(WorkerID, Status)
}

/// One attempt at one query, for the worker that pulled it.
package struct Assignment: Hashable, Sendable {
    package var lease: Lease
    package var id: QueryID
    package var attempt: Int
    package var remaining: Interval?
    package var request: OpaqueRequest
    package var resumedTokens: [Int32]
    /// Whose part the attempt is; nil if nobody traces it.
    package var trace: TraceContext?
    /// Whether the worker is to leave the KV cache for another once the first token is out.
    package var handsOver = false
    /// The KV cache that the worker is to go on with; empty for none.
    package var kvCache = ""
}

/// What a worker says of one lease.
package struct LeaseReport: Hashable, Sendable {
    package var lease: Lease
    package var firstIndex = 0
    package var tokens = 0
    /// None if the engine doesn't know them; mostly a part of a list for the whole step.
    package var tokenIDs: ArraySlice<Int32> = []
    package var text = ""
    package var finish: FinishReason?
    package var inputTokens: Int?
    package var failure: Status?
    /// What the worker has left for another; the lease is over then.
    package var handover: LeftCache?

    package struct LeftCache: Hashable, Sendable {
        package var kvCache: String
        package var inputTokens: Int
        package var bytes: Int

        package init(kvCache: String, inputTokens: Int, bytes: Int) {
            self.kvCache = kvCache
            self.inputTokens = inputTokens
            self.bytes = bytes
        }
    }

    package init(lease: Lease) {
        self.lease = lease
    }
}

/// What a worker says of one engine step.
package struct WorkerStep: Hashable, Sendable {
    package var workload: StepWorkload?
    package var duration: Interval
    package var reports: [LeaseReport]
    package var waiting: Int
    package var freeKVTokens: Int

    package init(
        workload: StepWorkload?,
        duration: Interval,
        reports: [LeaseReport],
        waiting: Int,
        freeKVTokens: Int
    ) {
        self.workload = workload
        self.duration = duration
        self.reports = reports
        self.waiting = waiting
        self.freeKVTokens = freeKVTokens
    }
}
