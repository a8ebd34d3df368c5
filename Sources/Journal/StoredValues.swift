internal import Brokering
internal import Foundation
internal import GRDB
internal import ServingModel

// How values of the vocabulary stand in the journal's columns.

extension QueryNumber {
    /// Numbers start at 1 and grow by one, so they fit.
    var stored: Int64 { Int64(rawValue) }

    init(stored: Int64) {
        self.init(rawValue: UInt64(bitPattern: stored))
    }
}

extension String {
    /// SQLite's text ends at the first NUL, so it becomes U+FFFD, as on the wire.
    var stored: String {
        utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? utf8.contains(0)
            ? String(String.UnicodeScalarView(unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })) : self
    }
}

extension [Int32] {
    /// Little-endian.
    var stored: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count * 4) { bytes, size in
            let bytes = UnsafeMutableRawBufferPointer(bytes)
            for (index, id) in enumerated() {
                bytes.storeBytes(of: id.littleEndian, toByteOffset: index * 4, as: Int32.self)
            }
            size = count * 4
        }
    }

    init(stored data: Data) {
        self = data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self))
            }
        }
    }
}

extension [OutputPart.Piece] {
    /// Little-endian pairs of tokens and bytes.
    var stored: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count * 8) { bytes, size in
            let bytes = UnsafeMutableRawBufferPointer(bytes)
            for (index, piece) in enumerated() {
                let pair = UInt64(piece.tokens) | UInt64(piece.bytes) << 32
                bytes.storeBytes(of: pair.littleEndian, toByteOffset: index * 8, as: UInt64.self)
            }
            size = count * 8
        }
    }

    init(stored data: Data) {
        self = data.withUnsafeBytes { bytes in
            (0..<bytes.count / 8).map {
                let pair = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
                return Element(tokens: UInt32(truncatingIfNeeded: pair), bytes: UInt32(pair >> 32))
            }
        }
    }
}

extension StatusCode {
    init(stored: Int) throws {
        guard let code = Int32(exactly: stored).flatMap(StatusCode.init(rawValue:)) else {
            throw RowDamage("\(stored) is no status code")
        }
        self = code
    }
}

extension Reason {
    init(stored: Int) throws {
        guard let reason = Int32(exactly: stored).flatMap(Reason.init(rawValue:)) else {
            throw RowDamage("\(stored) is no reason")
        }
        self = reason
    }
}

extension FinishReason {
    init(stored: Int) throws {
        guard let finish = Int32(exactly: stored).flatMap(FinishReason.init(rawValue:)) else {
            throw RowDamage("\(stored) is no way to finish")
        }
        self = finish
    }
}
