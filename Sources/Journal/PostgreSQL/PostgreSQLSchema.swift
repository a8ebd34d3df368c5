internal import PostgreSQL

/// The tables of a journal in PostgreSQL, made for operators to read with `psql` as well.
///
/// They are those of `JournalSchema`, and two of one row: `broker`, which every transaction changes, and `leader`. No
/// foreign keys: only the leading broker writes, and checking them would cost as much as the writing.
enum PostgreSQLSchema {
    /// What a version adds to the one before.
    private static let migrations = [first]

    static var version: Int64 { Int64(migrations.count) }

    /// The oldest server that this is tested with.
    static let oldestServer = 150_000

    /// Raised when a transaction is not the leader's next one; of the class that is left to users.
    static let fencedState = "AL001"

    /// Brings the schema up to this version, inside a transaction that holds the lock.
    static func migration(from version: Int64, in schema: String) -> String {
        """
        \(version == 0 ? "CREATE SCHEMA IF NOT EXISTS \(schema);" : "")
        SET LOCAL search_path = \(schema);
        \(migrations.dropFirst(Int(version)).joined(separator: "\n"))
        UPDATE schema_version SET version = \(Self.version);
        """
    }

    /// Held by the session that looks at the version and changes it.
    static func lock(_ schema: String) -> String {
        "SELECT pg_advisory_lock(hashtextextended('aladdin schema \(schema)', 0));"
    }

    private static let first = """
        CREATE TABLE schema_version (version bigint NOT NULL);
        INSERT INTO schema_version VALUES (0);

        CREATE TABLE broker (
            id bigint PRIMARY KEY CHECK (id = 1),
            epoch bigint NOT NULL,
            opened_ms bigint NOT NULL,
            -- Not below the number of any query that was pruned.
            next_number bigint NOT NULL,
            -- Written in this epoch.
            records bigint NOT NULL
        ) WITH (fillfactor = 20);
        INSERT INTO broker VALUES (1, 0, 0, 1, 0);

        -- Which broker leads, and that it is alive.
        CREATE TABLE leader (
            id bigint PRIMARY KEY CHECK (id = 1),
            -- Of one opening; also part of its sessions' application_name.
            instance text NOT NULL,
            name text NOT NULL,
            since_ms bigint NOT NULL,
            -- Changes several times within lease_ms, or another broker may take over.
            beat bigint NOT NULL,
            lease_ms bigint NOT NULL,
            is_released boolean NOT NULL
        ) WITH (fillfactor = 20);
        INSERT INTO leader VALUES (1, '', '', 0, 0, 0, true);

        CREATE TABLE query (
            number bigint PRIMARY KEY,
            id text COLLATE "C" NOT NULL UNIQUE,
            durability text NOT NULL,
            owner text COLLATE "C" NOT NULL,
            -- NULL also when the result is acknowledged: the key is free again.
            idempotency_key text COLLATE "C",
            request_hash bigint NOT NULL,
            model text COLLATE "C" NOT NULL,
            input_tokens bigint,
            prompt_bytes bigint NOT NULL,
            max_tokens bigint NOT NULL,
            output_tokens_hint bigint,
            ttft_objective_ns bigint NOT NULL,
            atgt_objective_ns bigint NOT NULL,
            priority bigint NOT NULL,
            tenant text NOT NULL,
            arrival_ms bigint NOT NULL,
            deadline_ms bigint,
            -- The current attempt, and whether a worker took it.
            attempt bigint NOT NULL DEFAULT 1,
            lease bigint,
            restarts bigint NOT NULL DEFAULT 0,
            -- NULL while unfinished, like all below but the last two.
            ended_ms bigint,
            code bigint,
            reason bigint,
            message text,
            finish bigint,
            counted_input_tokens bigint,
            output_tokens bigint,
            worker text,
            first_token_ns bigint,
            last_token_ns bigint,
            met boolean,
            acknowledged boolean NOT NULL DEFAULT false,
            -- About what the row takes, with its request or result.
            bytes bigint NOT NULL
        ) WITH (fillfactor = 70);
        CREATE UNIQUE INDEX query_key ON query(owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX query_unfinished ON query(number) WHERE ended_ms IS NULL;
        CREATE INDEX query_ended ON query(ended_ms, number) WHERE ended_ms IS NOT NULL;
        CREATE INDEX query_model ON query(model);

        -- What goes to workers; of unfinished queries only.
        CREATE TABLE request (
            query bigint PRIMARY KEY,
            -- Of the bytes and of what the query's row says about the request.
            checksum bigint NOT NULL,
            bytes bytea NOT NULL
        );

        CREATE TABLE failure (
            query bigint NOT NULL,
            ordinal bigint GENERATED ALWAYS AS IDENTITY,
            attempt bigint NOT NULL,
            worker text NOT NULL,
            at_ms bigint NOT NULL,
            code bigint NOT NULL,
            reason bigint NOT NULL,
            message text NOT NULL,
            output_tokens bigint NOT NULL,
            -- Among how many queries this one may be why its worker was lost.
            suspects bigint NOT NULL,
            PRIMARY KEY (query, ordinal)
        );

        -- Tokens that a later broker can go on from; of unfinished queries only.
        CREATE TABLE checkpoint (
            query bigint NOT NULL,
            ordinal bigint GENERATED ALWAYS AS IDENTITY,
            first_index bigint NOT NULL,
            tokens bigint NOT NULL,
            checksum bigint NOT NULL,
            token_ids bytea NOT NULL,
            text bytea NOT NULL,
            pieces bytea NOT NULL,
            PRIMARY KEY (query, ordinal)
        );

        -- The answer of an ended query, until it is acknowledged.
        CREATE TABLE result (
            query bigint PRIMARY KEY,
            checksum bigint NOT NULL,
            first_index bigint NOT NULL,
            -- attempt:index, separated by commas.
            rewrites text NOT NULL,
            token_ids bytea NOT NULL,
            text bytea NOT NULL,
            pieces bytea NOT NULL
        );

        -- The first statement of every transaction: only the leader's next one passes, and no other goes on beside it.
        CREATE FUNCTION advance(of_epoch bigint, from_records bigint, to_records bigint) RETURNS void
        LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE broker SET records = to_records WHERE epoch = of_epoch AND records = from_records;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'not the next transaction of epoch %', of_epoch USING ERRCODE = 'AL001';
            END IF;
        END $$;
        """
}
