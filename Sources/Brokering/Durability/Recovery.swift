package import ServingModel

/// What a journal holds when a broker opens it: everything that is not finished.
package struct Recovery: Hashable, Sendable {
    /// Of this opening: greater than of all before, durable before anybody is served.
    ///
    /// The high half of every lease.
    package var epoch: UInt32
    /// The first number that was never used.
    package var nextNumber: QueryNumber
    /// In the order of their numbers.
    package var queries: [RecoveredQuery]
    /// Fingerprints (`IdempotencyKey.fingerprint`) of the keys of all queries that are kept, ended ones included: a key
    /// that is not among them is new for certain.
    package var keys: Set<UInt64>
    /// Models of all queries that the journal knows of, sorted: they were served, and their workers may be on their way.
    package var models: [String]

    package init(
        epoch: UInt32 = 1,
        nextNumber: QueryNumber = QueryNumber(rawValue: 1),
        queries: [RecoveredQuery] = [],
        keys: Set<UInt64> = [],
        models: [String] = []
    ) {
        self.epoch = epoch
        self.nextNumber = nextNumber
        self.queries = queries
        self.keys = keys
        self.models = models
    }
}

/// A query that a broker accepted and did not end.
package struct RecoveredQuery: Hashable, Sendable {
    package var accepted: AcceptedQuery
    /// The latest attempt that was begun or is to begin.
    package var attempt: Int
    /// Whether a worker took that attempt, as far as is known.
    package var wasLeased: Bool
    /// How many brokers found it unfinished before.
    package var restarts: Int
    /// In order.
    package var failures: [FailedAttempt]
    /// Its checkpoints put together; nil if there is none.
    package var output: OutputPart?

    package init(
        accepted: AcceptedQuery,
        attempt: Int = 1,
        wasLeased: Bool = false,
        restarts: Int = 0,
        failures: [FailedAttempt] = [],
        output: OutputPart? = nil
    ) {
        self.accepted = accepted
        self.attempt = attempt
        self.wasLeased = wasLeased
        self.restarts = restarts
        self.failures = failures
        self.output = output
    }
}

/// An ended query as the journal keeps it; its request's bytes are gone.
package struct KeptResult: Hashable, Sendable {
    package var accepted: AcceptedQuery
    package var end: QueryEnd
    package var failures: [FailedAttempt]

    package init(accepted: AcceptedQuery, end: QueryEnd, failures: [FailedAttempt] = []) {
        self.accepted = accepted
        self.end = end
        self.failures = failures
    }
}

/// The client's own name for a query, unique for its owner.
package struct IdempotencyKey: Hashable, Sendable {
    package var owner: String
    package var key: String

    package init(owner: String, key: String) {
        self.owner = owner
        self.key = key
    }

    /// The same in every process: FNV-1a over owner, a zero byte and key.
    package var fingerprint: UInt64 {
        var hash = FNV1a()
        hash.combine(owner.utf8)
        hash.combine(CollectionOfOne(0))
        hash.combine(key.utf8)
        return hash.value
    }
}

/// What the broker asks the journal for when its memory does not have it.
package enum JournalLookup: Hashable, Sendable {
    case query(QueryID)
    case key(IdempotencyKey)
}
