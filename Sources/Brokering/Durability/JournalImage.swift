package import ServingModel

/// What a journal's records amount to, without a disk: what another broker takes over, and what can be looked up.
///
/// This is the meaning of every record: journals that keep files are tested against it, and simulations run on it.
/// Records that make no sense are refused, so that a simulation finds the broker that writes them.
package struct JournalImage: Hashable, Sendable {
    /// A record that cannot follow those before it: the journal is damaged, or its writer is wrong.
    package struct Contradiction: Error, Hashable, Sendable, CustomStringConvertible {
        package enum Kind: Hashable, Sendable {
            /// Of a query that was never accepted, or is no longer kept.
            case unknownQuery
            case acceptedTwice
            /// Something other than an acknowledgement of a query that has ended.
            case afterTheEnd
            /// A name that belongs to another query that is kept.
            case keyInUse
            /// An attempt, a lease or a restart that is not later than the one before, or a checkpoint with a gap.
            case outOfOrder
        }

        package var kind: Kind
        package var query: QueryNumber

        package var description: String { "query \(query.rawValue): \(kind)" }
    }

    /// Of the latest opening; 0 for none.
    package private(set) var epoch: UInt32 = 0
    package private(set) var nextNumber = QueryNumber(rawValue: 1)
    package private(set) var unfinished: [QueryNumber: RecoveredQuery] = [:]
    package private(set) var results: [QueryNumber: KeptResult] = [:]
    private var numbersByID: [QueryID: QueryNumber] = [:]
    private var numbersByKey: [IdempotencyKey: QueryNumber] = [:]
    private var latestLease = Lease(rawValue: 0)
    /// Of all queries accepted, sorted.
    private var models: [String] = []

    package init() {}

    /// Begins a new epoch: what a broker that opens the journal now has to know.
    package mutating func open() -> Recovery {
        epoch += 1
        return recovery(epoch: epoch)
    }

    package func recovery(epoch: UInt32) -> Recovery {
        Recovery(
            epoch: epoch,
            nextNumber: nextNumber,
            queries: unfinished.keys.sorted().compactMap { unfinished[$0] },
            keys: Set(numbersByKey.keys.map(\.fingerprint)),
            models: models
        )
    }

    /// An ended query that is kept.
    package func find(_ lookup: JournalLookup) -> KeptResult? {
        let number =
            switch lookup {
            case .query(let id): numbersByID[id]
            case .key(let key): numbersByKey[key]
            }
        return number.flatMap { results[$0] }
    }

    /// Whether a query was accepted and is kept, ended or not.
    package func contains(_ id: QueryID) -> Bool { numbersByID[id] != nil }

    /// - Throws: a `Contradiction`; nothing was changed then.
    package mutating func apply(_ record: JournalRecord) throws(Contradiction) {
        switch record {
        case .accepted(let query): try accept(query)
        case .leased(let number, let attempt, let lease):
            let latest = latestLease
            try change(number) { query throws(Contradiction) in
                guard lease > latest, attempt == query.attempt, !query.wasLeased else { throw .outOfOrder(number) }
                query.wasLeased = true
            }
            latestLease = lease
        case .retried(let number, let attempt, let failure):
            try change(number) { query throws(Contradiction) in
                guard attempt > query.attempt else { throw .outOfOrder(number) }
                query.attempt = attempt
                query.wasLeased = false
                query.failures.append(failure)
            }
        case .resumed(let number, let attempt, let restarts):
            try change(number) { query throws(Contradiction) in
                guard attempt > query.attempt, restarts >= query.restarts else { throw .outOfOrder(number) }
                query.attempt = attempt
                query.wasLeased = false
                query.restarts = restarts
            }
        case .checkpoint(let number, let part):
            try change(number) { query throws(Contradiction) in
                guard part.firstIndex == query.output?.count ?? 0 else { throw .outOfOrder(number) }
                if query.output == nil { query.output = part } else { query.output?.append(part) }
            }
        case .reset(let number): try change(number) { query in query.output = nil }
        case .ended(let number, let end): try finish(number, with: end)
        case .acknowledged(let number): try acknowledge(number)
        }
    }

    /// Drops results that ended before `time`.
    package mutating func forget(endedBefore time: UnixTime) {
        for number in results.keys.sorted() {
            if let result = results[number], result.end.at < time { drop(result.accepted) }
        }
    }

    private mutating func accept(_ query: AcceptedQuery) throws(Contradiction) {
        guard query.number >= nextNumber, numbersByID[query.id] == nil else {
            throw Contradiction(kind: .acceptedTwice, query: query.number)
        }
        if let key = query.key {
            guard numbersByKey[key] == nil else { throw Contradiction(kind: .keyInUse, query: query.number) }
            numbersByKey[key] = query.number
        }
        numbersByID[query.id] = query.number
        unfinished[query.number] = RecoveredQuery(accepted: query)
        nextNumber = QueryNumber(rawValue: query.number.rawValue + 1)
        guard !models.contains(query.model) else { return }
        models.append(query.model)
        models.sort()
    }

    private mutating func finish(_ number: QueryNumber, with end: QueryEnd) throws(Contradiction) {
        var accepted: AcceptedQuery?
        var failures: [FailedAttempt] = []
        try change(number) { query throws(Contradiction) in
            accepted = query.accepted
            failures = query.failures
        }
        guard var accepted else { return }
        accepted.request = []
        unfinished[number] = nil
        results[number] = KeptResult(accepted: accepted, end: end, failures: failures)
    }

    private mutating func acknowledge(_ number: QueryNumber) throws(Contradiction) {
        // An acknowledgement may come twice.
        guard let result = results[number] else {
            guard unfinished[number] == nil, number < nextNumber else {
                throw Contradiction(kind: .unknownQuery, query: number)
            }
            return
        }
        drop(result.accepted)
    }

    private mutating func drop(_ query: AcceptedQuery) {
        results[query.number] = nil
        numbersByID[query.id] = nil
        if let key = query.key { numbersByKey[key] = nil }
    }

    private mutating func change(
        _ number: QueryNumber,
        _ body: (inout RecoveredQuery) throws(Contradiction) -> Void
    ) throws(Contradiction) {
        guard var query = unfinished[number] else {
            throw Contradiction(kind: results[number] == nil ? .unknownQuery : .afterTheEnd, query: number)
        }
        try body(&query)
        unfinished[number] = query
    }
}

extension JournalImage.Contradiction {
    fileprivate static func outOfOrder(_ number: QueryNumber) -> Self { Self(kind: .outOfOrder, query: number) }
}
