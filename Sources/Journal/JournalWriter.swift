internal import Brokering
internal import GRDB
internal import ServingModel

/// Turns records into rows, inside a transaction of the caller.
struct JournalWriter {
    let database: Database
    /// Queries that may have checkpoints: for all others there is nothing to delete.
    var checkpointed: Set<QueryNumber>

    /// Writes `record`; returns by how many the ended queries grew.
    @discardableResult
    mutating func write(_ record: JournalRecord) throws -> Int {
        switch record {
        case .accepted(let accepted):
            let query = accepted.encoded
            if let key = query.key { try free(key) }
            try run(AcceptedQuery.insertion) { query.add(to: &$0) }
            try run("INSERT INTO request VALUES (?, ?, ?)") { parameters in
                parameters.add(query.number.stored)
                parameters.add(query.checksum.stored)
                parameters.add(query.request.bytes)
            }
        case .leased(let number, let attempt, let lease):
            try run("UPDATE query SET attempt = ?, lease = ? WHERE number = ? AND ended_ms IS NULL") { parameters in
                parameters.add(attempt)
                parameters.add(Int64(bitPattern: lease.rawValue))
                parameters.add(number.stored)
            }
        case .retried(let number, let attempt, let failure):
            try run(FailedAttempt.insertion) { parameters in
                failure.add(to: &parameters)
                parameters.add(number.stored)
            }
            try run("UPDATE query SET attempt = ?, lease = NULL WHERE number = ? AND ended_ms IS NULL") { parameters in
                parameters.add(attempt)
                parameters.add(number.stored)
            }
        case .resumed(let number, let attempt, let restarts):
            try run(
                "UPDATE query SET attempt = ?, lease = NULL, restarts = ? WHERE number = ? AND ended_ms IS NULL"
            ) { parameters in
                parameters.add(attempt)
                parameters.add(restarts)
                parameters.add(number.stored)
            }
        case .checkpoint(let number, let part):
            try run(OutputPart.insertion) { parameters in
                part.add(of: number, to: &parameters)
                parameters.add(number.stored)
            }
            checkpointed.insert(number)
        case .reset(let number):
            try deleteCheckpoints(of: number)
        case .ended(let number, let end):
            return try write(end, of: number)
        case .acknowledged(let number):
            try acknowledge(number)
        }
        return 0
    }

    private mutating func write(_ end: QueryEnd, of number: QueryNumber) throws -> Int {
        try run(QueryEnd.update) { parameters in
            end.add(to: &parameters)
            parameters.add(number.stored)
        }
        guard database.changesCount == 1 else { return 0 }
        try run("DELETE FROM request WHERE query = ?") { $0.add(number.stored) }
        try deleteCheckpoints(of: number)
        try run(QueryEnd.resultInsertion) { end.addResult(of: number, to: &$0) }
        return 1
    }

    private mutating func deleteCheckpoints(of number: QueryNumber) throws {
        guard checkpointed.remove(number) != nil else { return }
        try run("DELETE FROM checkpoint WHERE query = ?") { $0.add(number.stored) }
    }

    /// The result goes now and the key is free again; the numbers stay, for those who look at the past.
    private func acknowledge(_ number: QueryNumber) throws {
        try run(
            """
            UPDATE query SET acknowledged = 1, idempotency_key = NULL, message = NULL
            WHERE number = ? AND ended_ms IS NOT NULL
            """
        ) { $0.add(number.stored) }
        guard database.changesCount == 1 else { return }
        try run("DELETE FROM result WHERE query = ?") { $0.add(number.stored) }
        try run("DELETE FROM failure WHERE query = ?") { $0.add(number.stored) }
    }

    /// A name that an ended query still has, because it was due to be dropped, is the newer query's.
    private func free(_ key: IdempotencyKey) throws {
        try run(
            """
            UPDATE query SET idempotency_key = NULL
            WHERE owner = ? AND idempotency_key = ? AND ended_ms IS NOT NULL
            """
        ) { parameters in
            parameters.add(key.owner.stored)
            parameters.add(key.key.stored)
        }
    }

    private func run(_ sql: String, _ bind: (inout SQLiteParameters) -> Void) throws {
        var parameters = SQLiteParameters(try database.cachedStatement(sql: sql))
        bind(&parameters)
        try parameters.run()
    }
}
