internal import GRDB
internal import GRDBSQLite
internal import PostgreSQL

/// Where the values of a row go, whichever database has it: the parameters of a statement, in order.
///
/// A record is written in one pass, without a list of values in between, which took longer than SQLite itself.
protocol StatementParameters {
    mutating func add(_ number: Int64?)
    mutating func add(_ text: String?)
    mutating func add(_ isTrue: Bool)
    mutating func add(_ bytes: [UInt8])
}

extension StatementParameters {
    mutating func add(_ number: Int?) { add(number.map { Int64($0) }) }
}

/// Of a prepared statement of SQLite, which is run once they are complete.
struct SQLiteParameters: StatementParameters {
    private let statement: OpaquePointer
    private var index: CInt = 0
    private var code = SQLITE_OK

    /// SQLite's word for "make a copy".
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ statement: Statement) {
        self.statement = statement.sqliteStatement
    }

    mutating func add(_ number: Int64?) {
        guard let number else { return bind { sqlite3_bind_null($0, $1) } }
        bind { sqlite3_bind_int64($0, $1, number) }
    }

    mutating func add(_ text: String?) {
        guard var text else { return bind { sqlite3_bind_null($0, $1) } }
        bind { statement, index in
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text64(
                        statement,
                        index,
                        $0.baseAddress,
                        UInt64($0.count),
                        Self.transient,
                        UInt8(SQLITE_UTF8)
                    )
                }
            }
        }
    }

    mutating func add(_ isTrue: Bool) { add(isTrue ? 1 : 0 as Int64) }

    mutating func add(_ bytes: [UInt8]) {
        bind { statement, index in
            // No address would be taken for NULL.
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
            return sqlite3_bind_blob64(statement, index, bytes, UInt64(bytes.count), Self.transient)
        }
    }

    /// Runs the statement, which must not bring rows, and forgets what was bound: it may be a prompt.
    func run() throws {
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        precondition(index == sqlite3_bind_parameter_count(statement), "each parameter has a value")
        let code = self.code == SQLITE_OK ? sqlite3_step(statement) : self.code
        guard code == SQLITE_DONE else {
            let message = String(cString: sqlite3_errmsg(sqlite3_db_handle(statement)))
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
    }

    private mutating func bind(_ body: (_ statement: OpaquePointer, _ index: CInt) -> CInt) {
        index += 1
        let code = body(statement, index)
        if code != SQLITE_OK { self.code = code }
    }
}

/// Of a statement for PostgreSQL.
struct PostgreSQLParameters: StatementParameters {
    private(set) var values: [PostgreSQLValue] = []

    mutating func add(_ number: Int64?) { values.append(number.map { .integer($0) } ?? .null) }
    mutating func add(_ text: String?) { values.append(text.map { .text($0) } ?? .null) }
    mutating func add(_ isTrue: Bool) { values.append(.boolean(isTrue)) }
    mutating func add(_ bytes: [UInt8]) { values.append(.bytes(bytes)) }
}
