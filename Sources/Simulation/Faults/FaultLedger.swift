internal import Brokering
internal import ServingModel

/// What is true in a run, kept apart from the machine that is checked.
struct FaultLedger: Sendable {
    struct Query: Sendable {
        let id: QueryID
        let work: Int
        let durability: Durability
        let deadline: Instant?
        /// Its number at the broker that accepted it; nil until it is known to be a query of its own.
        var number: QueryNumber?
        /// The broker that accepted it.
        let boot: Int
        /// What fenced attempts made so far.
        var tokens: [Int32] = []
        /// All that ever was among them.
        var everTokens: Set<Int32> = []
        var lease: Lease?
        var leaseSession: UInt64 = 0
        var dispatches = 0
        /// Brokers that found it unfinished.
        var restarts = 0
        /// Dispatches that cost no attempt: their workers left in good order.
        var forgiven = 0
        /// Dispatches that may have cost none: their workers were lost, perhaps for another query's sake.
        var lost = 0
        var isCancelled = false
        var isToldAccepted = false
        var isAcknowledged = false
        /// The end that somebody was told, and the whole answer then.
        var told: (code: StatusCode, tokens: [Int32])?
    }

    private(set) var queries: [QueryID: Query] = [:]
    /// In the order submitted.
    private(set) var order: [QueryID] = []
    /// Present leases.
    private(set) var byLease: [Lease: QueryID] = [:]
    var latestLease = Lease(rawValue: 0)
    var byKey: [IdempotencyKey: QueryID] = [:]
    /// What a stream of the present broker reads, once it was told.
    var byStream: [StreamKey: QueryID] = [:]
    /// The present broker's streams that submitted; all others are attachments.
    var submissions: Set<StreamKey> = []

    subscript(id: QueryID) -> Query? { queries[id] }

    mutating func add(_ query: Query) {
        queries[query.id] = query
        order.append(query.id)
    }

    mutating func change(_ id: QueryID, _ body: (inout Query) -> Void) {
        guard var query = queries.removeValue(forKey: id) else { return }
        body(&query)
        queries[id] = query
    }

    mutating func lease(_ id: QueryID, _ lease: Lease, to session: UInt64) {
        endLease(of: id)
        byLease[lease] = id
        latestLease = lease
        change(id) {
            $0.lease = lease
            $0.leaseSession = session
            $0.dispatches += 1
        }
    }

    /// The present lease comes to nothing, or to an end.
    mutating func endLease(of id: QueryID) {
        guard let lease = queries[id]?.lease else { return }
        byLease[lease] = nil
        queries[id]?.lease = nil
    }

    /// The worker of a session is lost, as far as the broker knows.
    mutating func endLeases(ofSession session: UInt64, costAnAttempt: Bool) {
        for id in order where queries[id]?.lease != nil && queries[id]?.leaseSession == session {
            endLease(of: id)
            if costAnAttempt { queries[id]?.lost += 1 } else { queries[id]?.forgiven += 1 }
        }
    }

    /// Those that are leased, in order.
    var leased: [(id: QueryID, lease: Lease)] {
        byLease.keys.sorted().compactMap { lease in byLease[lease].map { ($0, lease) } }
    }

    /// A broker's memory is gone.
    ///
    /// - Parameter hasEnd: whether the disk has a query's end.
    mutating func brokerEnded(_ hasEnd: (QueryNumber) -> Bool) {
        byLease = [:]
        byStream = [:]
        submissions = []
        for id in order {
            change(id) { query in
                query.lease = nil
                if query.number.map({ !hasEnd($0) }) ?? true { query.isCancelled = false }
            }
        }
    }
}
