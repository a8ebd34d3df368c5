internal import CPostgreSQL

/// What a statement brought back.
package final class PostgreSQLRows {
    private let result: OpaquePointer
    package let count: Int
    private let columns: [String: Int32]

    /// Takes `result` over.
    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        var columns: [String: Int32] = [:]
        for index in 0..<PQnfields(result) where PQfname(result, index) != nil {
            let name = String(cString: PQfname(result, index))
            // Of two columns with one name the first is meant.
            if columns[name] == nil { columns[name] = index }
        }
        self.columns = columns
    }

    deinit { PQclear(result) }

    /// How many rows an INSERT, UPDATE or DELETE has changed.
    package var changed: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    package func hasColumn(_ name: String) -> Bool { columns[name] != nil }

    /// Nil if there is no such column.
    package func value(_ row: Int, _ column: String) -> PostgreSQLValue? {
        columns[column].map { value(row, Int($0)) }
    }

    package func value(_ row: Int, _ column: Int) -> PostgreSQLValue {
        let (row, column) = (Int32(row), Int32(column))
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        return PostgreSQLValue(bytes, type: PQftype(result, column))
    }

    /// The number in the first row's first column, for statements that ask for one.
    package var number: Int64? {
        guard count > 0, case .integer(let number) = value(0, 0) else { return nil }
        return number
    }
}
