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
            let insertion = statement("accepted") { parameters in
                query.add(to: &parameters)
                parameters.add(bytes(of: query))
                parameters.add(query.checksum.stored)
                parameters.add(query.request.bytes)
            }
            guard let key = query.key else { return [insertion] }
            let freeing = statement("free") { parameters in
                parameters.add(key.owner.stored)
                parameters.add(key.key.stored)
            }
            return [freeing, insertion]
        case .leased(let number, let attempt, let lease):
            return [
                statement("leased") { parameters in
                    parameters.add(attempt)
                    parameters.add(Int64(bitPattern: lease.rawValue))
                    parameters.add(number.stored)
                }
            ]
        case .retried(let number, let attempt, let failure):
            return [
                statement("retried") { parameters in
                    failure.add(to: &parameters)
                    parameters.add(attempt)
                    parameters.add(number.stored)
                }
            ]
        case .resumed(let number, let attempt, let restarts):
            return [
                statement("resumed") { parameters in
                    parameters.add(attempt)
                    parameters.add(restarts)
                    parameters.add(number.stored)
                }
            ]
        case .checkpoint(let number, let part):
            return [
                statement("checkpoint") { parameters in
                    part.add(of: number, to: &parameters)
                    parameters.add(number.stored)
                }
            ]
        case .reset(let number):
            return [statement("reset") { $0.add(number.stored) }]
        case .ended(let number, let end):
            let bytes = rowBytes + end.output.text.count + 4 * end.output.ids.count + 8 * end.output.pieces.count
            return [
                statement("ended") { parameters in
                    end.add(to: &parameters)
                    // It begins with the number, which is the last of the query's.
                    end.addResult(of: number, to: &parameters)
                    parameters.add(bytes)
                }
            ]
        case .acknowledged(let number):
            return [
                statement("acknowledged") { parameters in
                    parameters.add(number.stored)
                    parameters.add(rowBytes)
                }
            ]
        }
    }

    private static func statement(
        _ name: String,
        _ bind: (inout PostgreSQLParameters) -> Void
    ) -> PostgreSQLStatement {
        var parameters = PostgreSQLParameters()
        bind(&parameters)
        return PostgreSQLStatement(prepared: name, parameters.values)
    }
}
