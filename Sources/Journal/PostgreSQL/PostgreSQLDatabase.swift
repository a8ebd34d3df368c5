internal import PostgreSQL
internal import ServingModel

/// The database of a journal, as one opening of it uses it.
struct PostgreSQLDatabase {
    let address: PostgreSQLAddress
    /// Of this opening; its sessions carry it in their `application_name`, where other brokers see whether it lives.
    let instance: String

    /// What a session is for.
    enum Purpose {
        /// Everything is on the database's disk, and on those of its synchronous copies, before it is said to be.
        case writing
        /// A beat need not survive the database: only that it was heard counts.
        case leading
        case reading
    }

    /// A session that finds the journal's tables.
    func connect(
        for purpose: Purpose,
        whileWaiting: PostgreSQLConnection.Waiting
    ) throws(PostgreSQLError) -> PostgreSQLConnection {
        var settings = [
            ("application_name", purpose == .reading ? "aladdin" : Self.sessionName(instance)),
            ("search_path", address.schema),
            ("default_transaction_isolation", "read committed"),
            ("client_min_messages", "error"),
            // A client whose host is gone is noticed, and its locks are given back.
            ("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "15000"),
            ("lock_timeout", "5000"),
            ("idle_in_transaction_session_timeout", "15000"),
        ]
        if purpose == .leading { settings.append(("synchronous_commit", "off")) }
        let connection = try PostgreSQLConnection(address, settings: settings, whileWaiting: whileWaiting)
        if purpose == .writing { try insistOnDisk(connection, whileWaiting) }
        return connection
    }

    static func sessionName(_ instance: String) -> String { "aladdin leader \(instance)" }

    /// `off` is the one level at which a commit that was told may be lost by a crash of the server.
    private func insistOnDisk(
        _ connection: PostgreSQLConnection,
        _ whileWaiting: PostgreSQLConnection.Waiting
    ) throws(PostgreSQLError) {
        let sql = """
            SELECT CASE current_setting('synchronous_commit') WHEN 'off'
            THEN set_config('synchronous_commit', 'on', false) END
            """
        _ = try connection.run(PostgreSQLStatement(sql), whileWaiting: whileWaiting)
    }
}

extension PostgreSQLConnection {
    /// Checks that the server will do and brings the schema up to this version.
    ///
    /// - Returns: what an operator should know, such as a server that does not sync.
    func prepareSchema(
        of address: PostgreSQLAddress,
        migrates: Bool = true,
        whileWaiting: Waiting
    ) throws -> [String] {
        guard serverVersion >= PostgreSQLSchema.oldestServer else {
            throw JournalFailure(
                .inputOutput,
                "\(address.shown) is PostgreSQL \(serverVersion / 10_000); the journal needs 15 or later"
            )
        }
        let settings = try run(
            PostgreSQLStatement(
                "SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes')"
            ),
            whileWaiting: whileWaiting
        )
        guard settings.value(0, 0) == .text("UTF8") else {
            throw JournalFailure(
                .inputOutput,
                "the database \(address.shown) does not have the encoding UTF8; make one with: createdb --encoding UTF8"
            )
        }
        let version = try schemaVersion(of: address, whileWaiting)
        guard version <= PostgreSQLSchema.version else {
            throw JournalFailure(
                .newerVersion,
                """
                the journal in schema \(address.schema) of \(address.shown) was written by a later version of aladdin; \
                start that one
                """
            )
        }
        if version < PostgreSQLSchema.version {
            guard migrates else {
                throw JournalFailure(
                    .inputOutput,
                    version == 0
                        ? "there is no journal in schema \(address.schema) of \(address.shown)"
                        : "the journal in \(address.shown) is of an earlier version; start a broker on it first"
                )
            }
            try migrate(address, whileWaiting)
        }
        guard settings.value(0, 1) == .text("on"), settings.value(0, 2) == .text("on") else {
            return [
                "the server of \(address.shown) does not sync (fsync or full_page_writes is off): a crash of its host loses queries"
            ]
        }
        return []
    }

    /// 0 if there are no tables.
    private func schemaVersion(of address: PostgreSQLAddress, _ whileWaiting: Waiting) throws -> Int64 {
        let found = try run(
            PostgreSQLStatement("SELECT to_regclass('\(address.schema).schema_version') IS NOT NULL"),
            whileWaiting: whileWaiting
        )
        guard found.value(0, 0) == .boolean(true) else { return 0 }
        return try run(PostgreSQLStatement("SELECT version FROM schema_version"), whileWaiting: whileWaiting).number
            ?? 0
    }

    /// Whoever comes second finds it done.
    private func migrate(_ address: PostgreSQLAddress, _ whileWaiting: Waiting) throws {
        // Before the transaction: in one that began earlier, what somebody else has made meanwhile may not be seen yet.
        try script(PostgreSQLSchema.lock(address.schema), whileWaiting: whileWaiting)
        try script("BEGIN", whileWaiting: whileWaiting)
        let version = try schemaVersion(of: address, whileWaiting)
        if version < PostgreSQLSchema.version {
            try script(PostgreSQLSchema.migration(from: version, in: address.schema), whileWaiting: whileWaiting)
        }
        try script("COMMIT", whileWaiting: whileWaiting)
        try script("SELECT pg_advisory_unlock_all()", whileWaiting: whileWaiting)
    }
}
