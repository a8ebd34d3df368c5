internal import Brokering
internal import GRDB
internal import ServingModel

/// Reads what a journal holds, for the broker.
struct JournalReader {
    let database: Database

    /// Everything that is unfinished, and the keys of all that is kept.
    func recovery(epoch: UInt32) throws -> Recovery {
        Recovery(
            epoch: epoch,
            nextNumber: try nextNumber(),
            queries: try unfinishedQueries(),
            keys: try keys(),
            models: try models()
        )
    }

    func previousEpoch() throws -> UInt32 {
        let epoch = try Int64.fetchOne(database, sql: "SELECT epoch FROM broker") ?? 0
        guard let epoch = UInt32(exactly: epoch) else { throw RowDamage("the epoch is \(epoch)") }
        return epoch
    }

    /// How many ended queries there are.
    func endedQueries() throws -> Int {
        try Int.fetchOne(database, sql: "SELECT count(*) FROM query WHERE ended_ms IS NOT NULL") ?? 0
    }

    func checkpointedQueries() throws -> Set<QueryNumber> {
        Set(try Int64.fetchAll(database, sql: "SELECT DISTINCT query FROM checkpoint").map { QueryNumber(stored: $0) })
    }

    func lookUp(_ lookup: JournalLookup) throws -> KeptResult? {
        let row =
            switch lookup {
            case .query(let id): try resultRow(where: "id = ?", [id.description])
            case .key(let key):
                try resultRow(where: "owner = ? AND idempotency_key = ?", [key.owner.stored, key.key.stored])
            }
        return try row.map { try KeptResult(orLost: $0, failures: failures(of: $0.read("number"))) }
    }

    /// - Throws: `RowDamage` if it is not what was written.
    func result(_ number: Int64) throws -> KeptResult? {
        try resultRow(where: "number = ?", [number]).map { try KeptResult($0, failures: failures(of: number)) }
    }

    func unfinishedQuery(_ number: Int64) throws -> RecoveredQuery? {
        try Row.fetchOne(database, sql: "\(Self.unfinished) AND query.number = ?", arguments: [number])
            .map(recoveredQuery)
    }

    private func resultRow(where condition: String, _ arguments: StatementArguments) throws -> Row? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT query.*, result.checksum, result.first_index, result.rewrites, result.token_ids, result.text,
                    result.pieces
                FROM query JOIN result ON result.query = query.number WHERE \(condition)
                """
        )
        return try Row.fetchOne(statement, arguments: arguments)
    }

    func nextNumber() throws -> QueryNumber {
        let sql = "SELECT max(next_number, ifnull((SELECT max(number) + 1 FROM query), 1)) FROM broker"
        return QueryNumber(stored: try Int64.fetchOne(database, sql: sql) ?? 1)
    }

    private static let unfinished = """
        SELECT query.*, request.checksum, request.bytes FROM query
        LEFT JOIN request ON request.query = query.number WHERE query.ended_ms IS NULL
        """

    private func unfinishedQueries() throws -> [RecoveredQuery] {
        let rows = try Row.fetchCursor(database, sql: "\(Self.unfinished) ORDER BY query.number")
        var queries: [RecoveredQuery] = []
        while let row = try rows.next() { queries.append(try recoveredQuery(row)) }
        return queries
    }

    private func recoveredQuery(_ row: Row) throws -> RecoveredQuery {
        let number: Int64 = try row.read("number")
        return try RecoveredQuery(
            row,
            requestColumn: "bytes",
            failures: failures(of: number),
            checkpoints: rows("SELECT * FROM checkpoint WHERE query = ? ORDER BY rowid", number)
        )
    }

    private func keys() throws -> Set<UInt64> {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT owner, idempotency_key FROM query WHERE idempotency_key IS NOT NULL"
        )
        var keys: Set<UInt64> = []
        while let row = try rows.next() { keys.insert(IdempotencyKey(owner: row[0], key: row[1]).fingerprint) }
        return keys
    }

    /// By jumps through the index, from one model to the next.
    private func models() throws -> [String] {
        let models = try String.fetchAll(
            database,
            sql: """
                WITH RECURSIVE known(model) AS (
                    SELECT min(model) FROM query
                    UNION ALL
                    SELECT (SELECT min(model) FROM query WHERE model > known.model) FROM known
                    WHERE known.model IS NOT NULL
                )
                SELECT model FROM known WHERE model IS NOT NULL
                """
        )
        return models.sorted()
    }

    private func failures(of number: Int64) throws -> [Row] {
        try rows("SELECT * FROM failure WHERE query = ? ORDER BY rowid", number)
    }

    private func rows(_ sql: String, _ number: Int64) throws -> [Row] {
        try Row.fetchAll(try database.cachedStatement(sql: sql), arguments: [number])
    }
}
