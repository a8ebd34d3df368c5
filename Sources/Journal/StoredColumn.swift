internal import Foundation
internal import GRDB
internal import PostgreSQL

/// What stands in a column of a journal, whichever database has it.
protocol StoredColumn: DatabaseValueConvertible {
    init?(_ value: PostgreSQLValue)
}

extension Int64: StoredColumn {
    init?(_ value: PostgreSQLValue) {
        guard case .integer(let number) = value else { return nil }
        self = number
    }
}

extension Int: StoredColumn {
    init?(_ value: PostgreSQLValue) {
        guard case .integer(let number) = value else { return nil }
        self.init(exactly: number)
    }
}

extension Bool: StoredColumn {
    init?(_ value: PostgreSQLValue) {
        guard case .boolean(let isTrue) = value else { return nil }
        self = isTrue
    }
}

extension String: StoredColumn {
    init?(_ value: PostgreSQLValue) {
        guard case .text(let text) = value else { return nil }
        self = text
    }
}

extension Data: StoredColumn {
    init?(_ value: PostgreSQLValue) {
        guard case .bytes(let bytes) = value else { return nil }
        self.init(bytes)
    }
}

/// A row of a journal, whichever database has it.
protocol StoredRow {
    func hasColumn(_ column: String) -> Bool

    /// - Throws: `RowDamage` if there is no such column, or something else stands in it.
    func readOptional<Value: StoredColumn>(_ column: String) throws -> Value?
}

extension StoredRow {
    /// The value of a column that is never null; unlike a subscript, it survives a damaged row.
    func read<Value: StoredColumn>(_ column: String) throws -> Value {
        guard let value: Value = try readOptional(column) else { throw RowDamage("'\(column)' is missing in a row") }
        return value
    }
}

extension Row: StoredRow {
    func readOptional<Value: StoredColumn>(_ column: String) throws -> Value? {
        guard hasColumn(column) else { throw RowDamage("there is no column '\(column)'") }
        let stored: DatabaseValue = self[column]
        guard !stored.isNull else { return nil }
        guard let value = Value.fromDatabaseValue(stored) else {
            throw RowDamage("'\(column)' of a row has the wrong type")
        }
        return value
    }
}

/// A row that PostgreSQL brought.
struct PostgreSQLRow: StoredRow {
    let rows: PostgreSQLRows
    let index: Int

    func hasColumn(_ column: String) -> Bool { rows.hasColumn(column) }

    func readOptional<Value: StoredColumn>(_ column: String) throws -> Value? {
        guard let stored = rows.value(index, column) else { throw RowDamage("there is no column '\(column)'") }
        guard stored != .null else { return nil }
        guard let value = Value(stored) else { throw RowDamage("'\(column)' of a row has the wrong type") }
        return value
    }
}

extension PostgreSQLRows {
    var all: [PostgreSQLRow] { (0..<count).map { PostgreSQLRow(rows: self, index: $0) } }

    var first: PostgreSQLRow? { count > 0 ? PostgreSQLRow(rows: self, index: 0) : nil }
}
