internal import CPostgreSQL
package import ServingModel

/// A connection to a database, for one thread at a time.
///
/// Its methods return when the database has answered. While they wait they call `whileWaiting` about twenty times a
/// second with the time waited so far; what that throws ends the wait, and the connection is of no use then.
package final class PostgreSQLConnection {
    package typealias Waiting = (_ waited: Interval) throws(PostgreSQLError) -> Void

    private let handle: OpaquePointer

    /// - Parameters:
    ///   - settings: of the session, such as `application_name`.
    ///   - whileWaiting: as above.
    package init(
        _ address: PostgreSQLAddress,
        settings: [(String, String)] = [],
        whileWaiting: Waiting
    ) throws(PostgreSQLError) {
        guard let handle = Self.begin(address, settings) else {
            throw PostgreSQLError(.connection, "there is no memory left")
        }
        self.handle = handle
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try finishConnecting(whileWaiting)
        guard PQsetnonblocking(handle, 1) == 0 else { throw broken }
    }

    deinit { PQfinish(handle) }

    /// As `150004` for 15.4.
    package var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Runs statements as one transaction, sent together and answered together.
    ///
    /// - Returns: what each brought back.
    package func run(
        _ statements: [PostgreSQLStatement],
        whileWaiting: Waiting
    ) throws(PostgreSQLError) -> [PostgreSQLRows] {
        try enterPipeline()
        for statement in statements {
            guard send(statement) else { throw broken }
        }
        return try collect(statements.count, whileWaiting)
    }

    package func run(
        _ statement: PostgreSQLStatement,
        whileWaiting: Waiting
    ) throws(PostgreSQLError) -> PostgreSQLRows {
        try run([statement], whileWaiting: whileWaiting)[0]
    }

    /// Prepares statements for `run`, by their names.
    package func prepare(
        _ statements: [(name: String, sql: String)],
        whileWaiting: Waiting
    ) throws(PostgreSQLError) {
        try enterPipeline()
        for statement in statements {
            guard PQsendPrepare(handle, statement.name, statement.sql, 0, nil) == 1 else { throw broken }
        }
        _ = try collect(statements.count, whileWaiting)
    }

    /// Runs SQL of several statements, without parameters, as one transaction.
    package func script(_ sql: String, whileWaiting: Waiting) throws(PostgreSQLError) {
        guard PQpipelineStatus(handle) == PQ_PIPELINE_OFF || PQexitPipelineMode(handle) == 1 else { throw broken }
        guard PQsendQuery(handle, sql) == 1 else { throw broken }
        var failure: PostgreSQLError?
        let begun = MonotonicTime.now()
        while let result = try next(since: begun, whileWaiting) {
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = failure ?? self.failure(result)
            }
            PQclear(result)
        }
        if let failure { throw failure }
    }
}

extension PostgreSQLConnection {
    private func enterPipeline() throws(PostgreSQLError) {
        guard PQpipelineStatus(handle) != PQ_PIPELINE_OFF || PQenterPipelineMode(handle) == 1 else { throw broken }
    }

    private func send(_ statement: PostgreSQLStatement) -> Bool {
        statement.withParameters { count, types, values, sizes, formats in
            switch statement.text {
            case .prepared(let name): PQsendQueryPrepared(handle, name, count, values, sizes, formats, 1) == 1
            case .sql(let sql): PQsendQueryParams(handle, sql, count, types, values, sizes, formats, 1) == 1
            }
        }
    }

    /// Ends the transaction and gathers what its `count` statements brought back.
    private func collect(_ count: Int, _ whileWaiting: Waiting) throws(PostgreSQLError) -> [PostgreSQLRows] {
        guard PQpipelineSync(handle) == 1 else { throw broken }
        var results: [PostgreSQLRows] = []
        results.reserveCapacity(count)
        var failure: PostgreSQLError?
        let begun = MonotonicTime.now()
        // Nil ends the results of each statement; more of them than statements means that there is nothing to come.
        var ends = 0
        while ends <= count + 1 {
            guard let result = try next(since: begun, whileWaiting) else {
                ends += 1
                continue
            }
            switch PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC:
                PQclear(result)
                if let failure { throw failure }
                guard results.count == count else { throw broken }
                return results
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
                results.append(PostgreSQLRows(result))
            case PGRES_PIPELINE_ABORTED:
                PQclear(result)
            default:
                let said = self.failure(result)
                PQclear(result)
                guard said.kind == .refused else { throw said }
                failure = failure ?? said
            }
        }
        throw broken
    }

    /// The next result; nil at the end of a statement's.
    private func next(since begun: Int64, _ whileWaiting: Waiting) throws(PostgreSQLError) -> OpaquePointer? {
        while true {
            let unsent = PQflush(handle)
            guard unsent >= 0 else { throw broken }
            guard PQisBusy(handle) == 1 else {
                guard PQstatus(handle) == CONNECTION_OK else { throw broken }
                return PQgetResult(handle)
            }
            try SocketWait(PQsocket(handle), isWriting: unsent == 1).once(since: begun, whileWaiting)
            guard PQconsumeInput(handle) == 1 else { throw broken }
        }
    }

    private func failure(_ result: OpaquePointer) -> PostgreSQLError {
        PostgreSQLError(result, isConnected: PQstatus(handle) == CONNECTION_OK)
    }

    /// Why there is no connection; libpq tells no SQLSTATE for that.
    private var broken: PostgreSQLError {
        PostgreSQLError(.connection, PostgreSQLError.flat(String(cString: PQerrorMessage(handle))))
    }
}

extension PostgreSQLConnection {
    private static func begin(_ address: PostgreSQLAddress, _ settings: [(String, String)]) -> OpaquePointer? {
        let options = settings.map { "-c \($0.0)=\(escaped($0.1))" }.joined(separator: " ")
        // The address stands for itself and what comes after it wins.
        let pairs = [("dbname", address.connection), ("client_encoding", "UTF8"), ("options", options)]
        return withCStrings(pairs.map(\.0)) { names in
            withCStrings(pairs.map(\.1)) { values in PQconnectStartParams(names, values, 1) }
        }
    }

    private static func withCStrings<Result>(
        _ texts: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        let buffers = texts.map { text in
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: text.utf8.count + 1)
            for (index, byte) in text.utf8.enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[text.utf8.count] = 0
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        return body(buffers.map { UnsafePointer($0) } + [nil])
    }

    /// In `options` a blank ends a word.
    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ ")
    }

    private func finishConnecting(_ whileWaiting: Waiting) throws(PostgreSQLError) {
        guard PQstatus(handle) != CONNECTION_BAD else { throw broken }
        let begun = MonotonicTime.now()
        var isWriting = true
        while true {
            try SocketWait(PQsocket(handle), isWriting: isWriting, isReading: !isWriting).once(
                since: begun,
                whileWaiting
            )
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: isWriting = false
            case PGRES_POLLING_WRITING: isWriting = true
            default: throw PostgreSQLError(connecting: String(cString: PQerrorMessage(handle)))
            }
        }
    }
}
