internal import GRDB

/// The tables of a journal, made for operators to read with `sqlite3` as well.
///
/// `query` has a small row for each query, unfinished or ended; what is large is in tables of its own and goes earlier:
/// the request and the checkpoints when the query ends, the result when it is acknowledged.
enum JournalSchema {
    /// `ALDN`: what `file` and `PRAGMA application_id` show.
    static let applicationID = 0x414C_444E

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in try db.execute(sql: first) }
        migrator.registerMigration("2") { db in try db.execute(sql: second) }
        return migrator
    }

    private static let second = """
        -- What was served is known at the next opening without reading every row.
        CREATE INDEX query_model ON query(model);
        -- Among how many queries this one may be why its worker was lost.
        ALTER TABLE failure ADD COLUMN suspects INTEGER NOT NULL DEFAULT 1;
        """

    private static let first = """
        CREATE TABLE broker (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            epoch INTEGER NOT NULL,
            opened_ms INTEGER NOT NULL,
            -- Not below the number of any query that was pruned.
            next_number INTEGER NOT NULL
        ) STRICT;
        INSERT INTO broker VALUES (1, 0, 0, 1);

        CREATE TABLE query (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            durability TEXT NOT NULL,
            owner TEXT NOT NULL,
            -- NULL also when the result is acknowledged: the key is free again.
            idempotency_key TEXT,
            request_hash INTEGER NOT NULL,
            model TEXT NOT NULL,
            input_tokens INTEGER,
            prompt_bytes INTEGER NOT NULL,
            max_tokens INTEGER NOT NULL,
            output_tokens_hint INTEGER,
            ttft_objective_ns INTEGER NOT NULL,
            atgt_objective_ns INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            arrival_ms INTEGER NOT NULL,
            deadline_ms INTEGER,
            -- The current attempt, and whether a worker took it.
            attempt INTEGER NOT NULL DEFAULT 1,
            lease INTEGER,
            restarts INTEGER NOT NULL DEFAULT 0,
            -- NULL while unfinished, like all below.
            ended_ms INTEGER,
            code INTEGER,
            reason INTEGER,
            message TEXT,
            finish INTEGER,
            counted_input_tokens INTEGER,
            output_tokens INTEGER,
            worker TEXT,
            first_token_ns INTEGER,
            last_token_ns INTEGER,
            met INTEGER,
            acknowledged INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE UNIQUE INDEX query_key ON query(owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX query_unfinished ON query(number) WHERE ended_ms IS NULL;
        CREATE INDEX query_ended ON query(ended_ms) WHERE ended_ms IS NOT NULL;

        -- What goes to workers; of unfinished queries only.
        CREATE TABLE request (
            query INTEGER PRIMARY KEY REFERENCES query(number) ON DELETE CASCADE,
            -- Of the bytes and of what the query's row says about the request.
            checksum INTEGER NOT NULL,
            bytes BLOB NOT NULL
        ) STRICT;

        CREATE TABLE failure (
            query INTEGER NOT NULL REFERENCES query(number) ON DELETE CASCADE,
            attempt INTEGER NOT NULL,
            worker TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            code INTEGER NOT NULL,
            reason INTEGER NOT NULL,
            message TEXT NOT NULL,
            output_tokens INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX failure_query ON failure(query);

        -- Tokens that a later broker can go on from; of unfinished queries only.
        CREATE TABLE checkpoint (
            query INTEGER NOT NULL REFERENCES query(number) ON DELETE CASCADE,
            first_index INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            token_ids BLOB NOT NULL,
            text BLOB NOT NULL,
            pieces BLOB NOT NULL
        ) STRICT;
        CREATE INDEX checkpoint_query ON checkpoint(query);

        -- The answer of an ended query, until it is acknowledged.
        CREATE TABLE result (
            query INTEGER PRIMARY KEY REFERENCES query(number) ON DELETE CASCADE,
            checksum INTEGER NOT NULL,
            first_index INTEGER NOT NULL,
            -- attempt:index, separated by commas.
            rewrites TEXT NOT NULL,
            token_ids BLOB NOT NULL,
            text BLOB NOT NULL,
            pieces BLOB NOT NULL
        ) STRICT;
        """
}
