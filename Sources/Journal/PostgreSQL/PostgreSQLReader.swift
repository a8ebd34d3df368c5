internal import Brokering
internal import PostgreSQL
internal import ServingModel

/// Reads what a journal in PostgreSQL holds, for the broker.
struct PostgreSQLReader {
    let connection: PostgreSQLConnection
    let waiting: PostgreSQLConnection.Waiting

    /// Rows asked for at once.
    private static let page: Int64 = 500
    private static let keyPage: Int64 = 50_000

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

    /// How many ended queries there are, and the bytes of all queries.
    func usage() throws -> (ended: Int, bytes: Int64) {
        let results = try connection.run(
            [
                PostgreSQLStatement("SELECT count(*) FROM query WHERE ended_ms IS NOT NULL"),
                PostgreSQLStatement("SELECT coalesce(sum(bytes), 0)::bigint FROM query"),
            ],
            whileWaiting: waiting
        )
        return (Int(results[0].number ?? 0), results[1].number ?? 0)
    }

    /// All answers together.
    func lookUp(_ lookups: [JournalLookup]) throws -> [KeptResult?] {
        guard !lookups.isEmpty else { return [] }
        let results = try connection.run(lookups.flatMap(Self.statements), whileWaiting: waiting)
        return try lookups.indices.map { index in
            try results[2 * index].first.map { try KeptResult(orLost: $0, failures: results[2 * index + 1].all) }
        }
    }

    private static func statements(for lookup: JournalLookup) -> [PostgreSQLStatement] {
        let (condition, parameters): (String, [PostgreSQLValue]) =
            switch lookup {
            case .query(let id): ("id = $1", [.text(id.description)])
            case .key(let key):
                ("owner = $1 AND idempotency_key = $2", [.text(key.owner.stored), .text(key.key.stored)])
            }
        return [
            PostgreSQLStatement(
                """
                SELECT query.*, result.checksum, result.first_index, result.rewrites, result.token_ids, result.text,
                    result.pieces
                FROM query JOIN result ON result.query = query.number WHERE \(condition)
                """,
                parameters
            ),
            PostgreSQLStatement(
                """
                SELECT failure.* FROM failure JOIN query ON query.number = failure.query
                WHERE \(condition) ORDER BY ordinal
                """,
                parameters
            ),
        ]
    }

    private func nextNumber() throws -> QueryNumber {
        let sql = "SELECT greatest(next_number, (SELECT max(number) + 1 FROM query)) FROM broker"
        let rows = try connection.run(PostgreSQLStatement(sql), whileWaiting: waiting)
        return QueryNumber(stored: rows.number ?? 1)
    }

    private func unfinishedQueries() throws -> [RecoveredQuery] {
        var queries: [RecoveredQuery] = []
        var last: Int64 = 0
        while true {
            let pages = try connection.run(Self.unfinished(after: last), whileWaiting: waiting)
            let rows = pages[0].all
            let failures = try Dictionary(grouping: pages[1].all) { try $0.read("query") as Int64 }
            let parts = try Dictionary(grouping: pages[2].all) { try $0.read("query") as Int64 }
            for row in rows {
                last = try row.read("number")
                queries.append(try Self.query(row, failures[last] ?? [], parts[last] ?? []))
            }
            guard rows.count == Self.page else { return queries }
        }
    }

    private static func unfinished(after last: Int64) -> [PostgreSQLStatement] {
        let numbers = "SELECT number FROM query WHERE ended_ms IS NULL AND number > $1 ORDER BY number LIMIT $2"
        let bounds: [PostgreSQLValue] = [.integer(last), .integer(page)]
        return [
            PostgreSQLStatement(
                """
                SELECT query.*, request.checksum, request.bytes AS request
                FROM query LEFT JOIN request ON request.query = query.number
                WHERE query.ended_ms IS NULL AND query.number > $1 ORDER BY query.number LIMIT $2
                """,
                bounds
            ),
            PostgreSQLStatement("SELECT * FROM failure WHERE query IN (\(numbers)) ORDER BY query, ordinal", bounds),
            PostgreSQLStatement("SELECT * FROM checkpoint WHERE query IN (\(numbers)) ORDER BY query, ordinal", bounds),
        ]
    }

    private static func query(
        _ row: PostgreSQLRow,
        _ failures: [PostgreSQLRow],
        _ parts: [PostgreSQLRow]
    ) throws -> RecoveredQuery {
        try RecoveredQuery(row, requestColumn: "request", failures: failures, checkpoints: parts)
    }

    private func keys() throws -> Set<UInt64> {
        var keys: Set<UInt64> = []
        var last: Int64 = 0
        while true {
            let rows = try connection.run(
                PostgreSQLStatement(
                    """
                    SELECT number, owner, idempotency_key FROM query
                    WHERE idempotency_key IS NOT NULL AND number > $1 ORDER BY number LIMIT $2
                    """,
                    [.integer(last), .integer(Self.keyPage)]
                ),
                whileWaiting: waiting
            )
            for row in 0..<rows.count {
                guard case .integer(let number) = rows.value(row, 0), case .text(let owner) = rows.value(row, 1),
                    case .text(let key) = rows.value(row, 2)
                else { throw RowDamage("a name of a query cannot be read") }
                last = number
                keys.insert(IdempotencyKey(owner: owner, key: key).fingerprint)
            }
            guard Int64(rows.count) == Self.keyPage else { return keys }
        }
    }

    /// By jumps through the index, from one model to the next.
    private func models() throws -> [String] {
        let sql = """
            WITH RECURSIVE known(model) AS (
                (SELECT min(model) FROM query)
                UNION ALL
                SELECT (SELECT min(model) FROM query WHERE model > known.model) FROM known WHERE known.model IS NOT NULL
            )
            SELECT model FROM known WHERE model IS NOT NULL
            """
        let rows = try connection.run(PostgreSQLStatement(sql), whileWaiting: waiting)
        return try rows.all.map { try $0.read("model") as String }.sorted()
    }
}
