internal import ServingModel

/// What a journal holds, as its records make it: the meaning of every record, without a disk.
///
/// Journals that keep files are tested against it, and simulations run on it. Records about queries that are not there,
/// or no longer unfinished, change nothing: a client may acknowledge what was pruned long ago.
package struct JournalContents: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        var query: RecoveredQuery
        var parts: [OutputPart] = []
        var end: QueryEnd?
    }

    /// In the order of acceptance; nil where a query was acknowledged.
    private var entries: [Entry?] = []
    private var positions: [QueryNumber: Int] = [:]
    private var identifiers: [QueryID: Int] = [:]
    private var keys: [IdempotencyKey: Int] = [:]
    private var nextNumber = QueryNumber(rawValue: 1)

    package init() {}

    /// - Precondition: numbers of accepted queries grow; identifiers and keys are not those of a query that is kept.
    package mutating func apply(_ record: JournalRecord) {
        if case .accepted(let query) = record {
            accept(query)
        } else if let position = positions[record.query], var entry = entries[position] {
            if case .acknowledged = record {
                guard entry.end != nil else { return }
                forget(entry.query.accepted)
                entries[position] = nil
            } else if entry.end == nil {
                Self.apply(record, to: &entry)
                entries[position] = entry
            }
        }
    }

    /// What a broker finds that opens the journal now.
    package func recovery(epoch: UInt32) -> Recovery {
        var recovery = Recovery(epoch: epoch, nextNumber: nextNumber)
        for case let entry? in entries {
            if let key = entry.query.accepted.key { recovery.keys.insert(key.fingerprint) }
            guard entry.end == nil else { continue }
            var query = entry.query
            query.output = OutputPart(joining: entry.parts)
            recovery.queries.append(query)
        }
        return recovery
    }

    /// The result of an ended query, until it is acknowledged.
    package func lookUp(_ lookup: JournalLookup) -> KeptResult? {
        let position =
            switch lookup {
            case .query(let id): identifiers[id]
            case .key(let key): keys[key]
            }
        guard let position, let entry = entries[position], let end = entry.end else { return nil }
        return KeptResult(accepted: entry.query.accepted, end: end, failures: entry.query.failures)
    }

    private mutating func accept(_ query: AcceptedQuery) {
        precondition(query.number >= nextNumber, "query \(query.number.rawValue) was accepted before")
        precondition(identifiers[query.id] == nil, "query \(query.id) was accepted before")
        let position = entries.count
        entries.append(Entry(query: RecoveredQuery(accepted: query)))
        positions[query.number] = position
        identifiers[query.id] = position
        if let key = query.key {
            precondition(keys[key] == nil, "the key of query \(query.id) is another's")
            keys[key] = position
        }
        nextNumber = QueryNumber(rawValue: query.number.rawValue + 1)
    }

    private mutating func forget(_ query: AcceptedQuery) {
        positions[query.number] = nil
        identifiers[query.id] = nil
        if let key = query.key { keys[key] = nil }
    }

    /// The records of an unfinished query.
    private static func apply(_ record: JournalRecord, to entry: inout Entry) {
        switch record {
        case .accepted, .acknowledged: break
        case .leased(_, let attempt, _):
            entry.query.attempt = attempt
            entry.query.wasLeased = true
        case .retried(_, let attempt, let failure):
            entry.query.attempt = attempt
            entry.query.wasLeased = false
            entry.query.failures.append(failure)
        case .resumed(_, let attempt, let restarts):
            entry.query.attempt = attempt
            entry.query.wasLeased = false
            entry.query.restarts = restarts
        case .checkpoint(_, let part): entry.parts.append(part)
        case .reset: entry.parts = []
        case .ended(_, let end):
            entry.end = end
            entry.parts = []
            entry.query.accepted.request = []
        }
    }
}

extension AcceptedQuery {
    package var key: IdempotencyKey? {
        idempotencyKey.map { IdempotencyKey(owner: owner, key: $0) }
    }
}

extension OutputPart {
    /// Checkpoints put together as far as each begins where the last one ended; nil if there is none.
    ///
    /// Token identifiers are kept if every part has them. Each part begins a new piece.
    package init?(joining parts: [OutputPart]) {
        guard var joined = parts.first else { return nil }
        var isIdentified = joined.ids.count == joined.count
        joined.pieces = joined.allPieces
        for part in parts.dropFirst() {
            guard part.firstIndex == joined.firstIndex + joined.count else { break }
            joined.count += part.count
            joined.ids += part.ids
            joined.text += part.text
            joined.pieces += part.allPieces
            isIdentified = isIdentified && part.ids.count == part.count
        }
        if !isIdentified { joined.ids = [] }
        self = joined
    }

    private var allPieces: [Piece] {
        guard pieces.isEmpty, count > 0 || !text.isEmpty else { return pieces }
        return [Piece(tokens: UInt32(count), bytes: UInt32(text.count))]
    }
}
