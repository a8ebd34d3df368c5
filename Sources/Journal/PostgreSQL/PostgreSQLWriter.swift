internal import Brokering
internal import PostgreSQL
internal import ServingModel

/// Turns records into statements, one for each, with the meaning of `JournalWriter`'s.
enum PostgreSQLWriter {
    /// For `PostgreSQLConnection.prepare`.
    static let prepared: [(name: String, sql: String)] = [
        ("advance", "SELECT advance($1, $2, $3)"),
        (
            "free",
            """
            UPDATE query SET idempotency_key = NULL WHERE owner = $1 AND idempotency_key = $2 AND ended_ms IS NOT NULL
            """
        ),
        (
            "accepted",
            """
            WITH added AS (
                INSERT INTO query (
                    number, id, durability, owner, idempotency_key, request_hash, model, input_tokens, prompt_bytes,
                    max_tokens, output_tokens_hint, ttft_objective_ns, atgt_objective_ns, priority, tenant, arrival_ms,
                    deadline_ms, bytes
                ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
                RETURNING number
            ) INSERT INTO request SELECT number, $19, $20 FROM added
            """
        ),
        ("leased", "UPDATE query SET attempt = $1, lease = $2 WHERE number = $3 AND ended_ms IS NULL"),
        (
            "retried",
            """
            WITH changed AS (
                UPDATE query SET attempt = $9, lease = NULL WHERE number = $10 AND ended_ms IS NULL RETURNING number
            ) INSERT INTO failure (
                query, attempt, worker, at_ms, code, reason, message, output_tokens, suspects
            ) SELECT number, $1, $2, $3, $4, $5, $6, $7, $8 FROM changed
            """
        ),
        (
            "resumed",
            "UPDATE query SET attempt = $1, lease = NULL, restarts = $2 WHERE number = $3 AND ended_ms IS NULL"
        ),
        (
            "checkpoint",
            """
            INSERT INTO checkpoint (query, first_index, tokens, checksum, token_ids, text, pieces)
            SELECT number, $1, $2, $3, $4, $5, $6 FROM query WHERE number = $7 AND ended_ms IS NULL
            """
        ),
        ("reset", "DELETE FROM checkpoint WHERE query = $1"),
        (
            "ended",
            """
            WITH old AS (
                SELECT number, bytes FROM query WHERE number = $13 AND ended_ms IS NULL
            ), changed AS (
                UPDATE query SET ended_ms = $1, code = $2, reason = $3, message = $4, finish = $5,
                    counted_input_tokens = $6, output_tokens = $7, attempt = $8, worker = $9, first_token_ns = $10,
                    last_token_ns = $11, met = $12, bytes = $20
                FROM old WHERE query.number = old.number
            ), requests AS (
                DELETE FROM request WHERE query IN (SELECT number FROM old)
            ), checkpoints AS (
                DELETE FROM checkpoint WHERE query IN (SELECT number FROM old)
            ) INSERT INTO result SELECT number, $14, $15, $16, $17, $18, $19 FROM old
            RETURNING (SELECT $20 - bytes FROM old)
            """
        ),
        (
            "acknowledged",
            """
            WITH old AS (
                SELECT number, bytes FROM query WHERE number = $1 AND ended_ms IS NOT NULL
            ), changed AS (
                UPDATE query SET acknowledged = true, idempotency_key = NULL, message = NULL, bytes = $2
                FROM old WHERE query.number = old.number
            ), results AS (
                DELETE FROM result WHERE query IN (SELECT number FROM old)
            ), failures AS (
                DELETE FROM failure WHERE query IN (SELECT number FROM old)
            ) SELECT $2 - bytes FROM old
            """
        ),
    ]

    /// A row without anything large.
    private static let rowBytes = 512

    static func bytes(of query: AcceptedQuery) -> Int { rowBytes + query.request.count }

    /// What to run for `record`, in order.
    static func statements(for record: JournalRecord) -> [PostgreSQLStatement] {
        switch record {
        case .accepted(let accepted):
            let query = accepted.encoded
            let columns =
                query.columns.parameters + [
                    .integer(Int64(bytes(of: query))), .integer(query.checksum.stored), .bytes(query.request.bytes),
                ]
            let insertion = PostgreSQLStatement(prepared: "accepted", columns)
            guard let key = query.key else { return [insertion] }
            return [statement("free", [key.owner.stored, key.key.stored]), insertion]
        case .leased(let number, let attempt, let lease):
            return [statement("leased", [attempt, Int64(bitPattern: lease.rawValue), number.stored])]
        case .retried(let number, let attempt, let failure):
            return [statement("retried", failure.columns + [attempt, number.stored])]
        case .resumed(let number, let attempt, let restarts):
            return [statement("resumed", [attempt, restarts, number.stored])]
        case .checkpoint(let number, let part):
            return [statement("checkpoint", part.columns(of: number) + [number.stored])]
        case .reset(let number):
            return [statement("reset", [number.stored])]
        case .ended(let number, let end):
            let bytes = rowBytes + end.output.text.count + 4 * end.output.ids.count + 8 * end.output.pieces.count
            // The result's columns begin with the number, which is the last of the query's.
            return [statement("ended", end.columns + end.resultColumns(of: number) + [bytes])]
        case .acknowledged(let number):
            return [statement("acknowledged", [number.stored, rowBytes])]
        }
    }

    private static func statement(_ name: String, _ columns: StoredColumns) -> PostgreSQLStatement {
        PostgreSQLStatement(prepared: name, columns.parameters)
    }
}
