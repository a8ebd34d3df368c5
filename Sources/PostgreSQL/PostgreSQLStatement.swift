/// What is to be done: by the name of a prepared statement, or in SQL.
package struct PostgreSQLStatement: Sendable {
    package enum Text: Hashable, Sendable {
        case prepared(String)
        case sql(String)
    }

    package var text: Text
    package var parameters: [PostgreSQLValue]

    package init(prepared name: String, _ parameters: [PostgreSQLValue] = []) {
        text = .prepared(name)
        self.parameters = parameters
    }

    package init(_ sql: String, _ parameters: [PostgreSQLValue] = []) {
        text = .sql(sql)
        self.parameters = parameters
    }

    /// The parameters as libpq takes them: how many, their types, bytes, sizes, and that they are binary.
    func withParameters<Result>(
        _ body: (Int32, [UInt32], [UnsafePointer<CChar>?], [Int32], [Int32]) -> Result
    ) -> Result {
        var buffer: [UInt8] = []
        let lengths = parameters.map { $0.append(to: &buffer) }
        // Never empty, so that an empty value does not look like NULL.
        buffer.append(0)
        return buffer.withUnsafeBytes { bytes in
            var offset = 0
            let values = lengths.map { length -> UnsafePointer<CChar>? in
                guard let length else { return nil }
                defer { offset += length }
                return bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
            return body(
                Int32(values.count),
                parameters.map(\.type),
                values,
                lengths.map { Int32($0 ?? 0) },
                [Int32](repeating: 1, count: values.count)
            )
        }
    }
}
