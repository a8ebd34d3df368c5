internal import CPostgreSQL

/// A parameter of a statement, or a value that was read; it travels in PostgreSQL's binary format.
package enum PostgreSQLValue: Hashable, Sendable {
    case null
    /// `bigint`.
    case integer(Int64)
    /// `text`; must not contain NUL.
    case text(String)
    /// `bytea`.
    case bytes([UInt8])
    case boolean(Bool)

    /// As PostgreSQL numbers types; 0 leaves it to the statement.
    var type: UInt32 {
        switch self {
        case .null: 0
        case .integer: 20
        case .text: 25
        case .bytes: 17
        case .boolean: 16
        }
    }

    /// Nil for NULL, else the number of bytes.
    func append(to buffer: inout [UInt8]) -> Int? {
        let start = buffer.count
        switch self {
        case .null: return nil
        case .integer(let number): withUnsafeBytes(of: number.bigEndian) { buffer.append(contentsOf: $0) }
        case .text(let text): buffer.append(contentsOf: text.utf8)
        case .bytes(let bytes): buffer.append(contentsOf: bytes)
        case .boolean(let isTrue): buffer.append(isTrue ? 1 : 0)
        }
        return buffer.count - start
    }

    /// - Parameter type: the column's type, as PostgreSQL numbers them; those that are not known here stay bytes.
    init(_ bytes: UnsafeRawBufferPointer, type: UInt32) {
        switch (type, bytes.count) {
        case (20, 8): self = .integer(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        case (23, 4), (26, 4): self = .integer(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
        case (21, 2): self = .integer(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
        case (25, _), (1043, _), (19, _): self = .text(String(decoding: bytes, as: UTF8.self))
        case (16, 1): self = .boolean(bytes[0] != 0)
        default: self = .bytes([UInt8](bytes))
        }
    }
}
