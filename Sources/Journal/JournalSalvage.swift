internal import Brokering
internal import GRDB
internal import ServingModel

/// What can still be read of a damaged journal, query by query.
struct JournalSalvage {
    struct Count: Equatable {
        var unfinished = 0
        var results = 0
        /// Queries that are known to have been there.
        var unreadable = 0
    }

    private let connection: DatabaseQueue?

    init(_ file: JournalFile) {
        connection = try? file.connectToRead()
    }

    /// Calls `body` with the records that make each readable query what it was.
    func read(_ body: ([JournalRecord]) throws -> Void) -> Count {
        var count = Count()
        for number in numbers() {
            do {
                guard let records = try connection?.read({ try Self.records(of: number, $0, &count) }) else { continue }
                try body(records)
            } catch {
                count.unreadable += 1
            }
        }
        return count
    }

    func previousEpoch() -> UInt32 {
        (try? connection?.read { try JournalReader(database: $0).previousEpoch() }) ?? 0
    }

    func nextNumber() -> QueryNumber {
        let highest = numbers().last.map { QueryNumber(stored: $0 + 1) } ?? QueryNumber(rawValue: 1)
        let kept = try? connection?.read { try JournalReader(database: $0).nextNumber() }
        return max(highest, kept ?? highest)
    }

    /// The failure, with what starting over would lose and what to do.
    func explain(_ failure: JournalFailure) -> JournalFailure {
        let count = read { _ in }
        let rest = count.unreadable > 0 ? "; \(count.unreadable) queries cannot" : ""
        return JournalFailure(
            .damaged,
            """
            \(failure.message). \(count.unfinished) unfinished queries and \(count.results) results can be read\(rest), \
            and nobody knows what was written after the damage. Keep a copy of the directory first. Then either restore \
            a backup, or start the broker with --journal-accept-loss: it sets the damaged files aside, carries over what \
            can be read and loses the rest
            """
        )
    }

    /// From both ends as far as the table can be read, in order.
    private func numbers() -> [Int64] {
        let up = numbers(descending: false)
        guard let last = up.last else { return numbers(descending: true).reversed() }
        return up + numbers(descending: true).prefix { $0 > last }.reversed()
    }

    private func numbers(descending: Bool) -> [Int64] {
        var numbers: [Int64] = []
        try? connection?.read { database in
            // Not by an index, which may be whole where the table is not.
            let order = descending ? "DESC" : "ASC"
            let rows = try Int64.fetchCursor(
                database,
                sql: "SELECT number FROM query NOT INDEXED ORDER BY number \(order)"
            )
            while let number = try rows.next() { numbers.append(number) }
        }
        return numbers
    }

    /// nil for a query whose result was acknowledged.
    private static func records(
        of number: Int64,
        _ database: Database,
        _ count: inout Count
    ) throws -> [JournalRecord]? {
        let reader = JournalReader(database: database)
        if let query = try reader.unfinishedQuery(number) {
            count.unfinished += 1
            return query.records
        }
        guard let result = try reader.result(number) else { return nil }
        count.results += 1
        let query = result.accepted
        return [.accepted(query)] + result.failures.map { $0.record(of: query.number) } + [
            .ended(query.number, result.end)
        ]
    }
}

extension RecoveredQuery {
    fileprivate var records: [JournalRecord] {
        let number = accepted.number
        var records: [JournalRecord] = [.accepted(accepted)]
        records += failures.map { $0.record(of: number) }
        records.append(.resumed(number, attempt: attempt, restarts: restarts))
        // The lease itself is of an epoch that is over.
        if wasLeased { records.append(.leased(number, attempt: attempt, Lease(rawValue: 0))) }
        if let output { records.append(.checkpoint(number, output)) }
        return records
    }
}

extension FailedAttempt {
    fileprivate func record(of number: QueryNumber) -> JournalRecord {
        .retried(number, attempt: attempt + 1, self)
    }
}
