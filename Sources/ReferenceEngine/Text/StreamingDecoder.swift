/// Turns tokens into text as they come: whole characters only.
///
/// A character may be spread over tokens. Its first bytes wait until it is complete; bytes that can never become a
/// character are replaced by U+FFFD at once, a maximal invalid run of a sequence at a time (as Unicode recommends). What is
/// still incomplete at the end is dropped.
struct StreamingDecoder: Equatable {
    private var pending: [UInt8] = []

    /// Takes in a token's bytes and returns what is certain now, as UTF-8 of whole scalars.
    mutating func append(_ bytes: [UInt8]) -> [UInt8] {
        pending.append(contentsOf: bytes)
        var text: [UInt8] = []
        var index = 0
        while index < pending.count {
            switch Self.scalar(in: pending[index...]) {
            case .complete(let length):
                text.append(contentsOf: pending[index..<index + length])
                index += length
            case .invalid(let length):
                text.append(contentsOf: [0xEF, 0xBF, 0xBD])
                index += length
            case .incomplete:
                pending.removeFirst(index)
                return text
            }
        }
        pending.removeAll(keepingCapacity: true)
        return text
    }

    private enum Scan {
        case complete(Int)
        case invalid(Int)
        case incomplete
    }

    /// What begins with the first byte (the Unicode Standard, table 3-7).
    private static func scalar(in bytes: ArraySlice<UInt8>) -> Scan {
        guard let first = bytes.first else { return .incomplete }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0x00...0x7F: return .complete(1)
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return .invalid(1)
        }
        for offset in 1..<length {
            guard offset < bytes.count else { return .incomplete }
            let allowed = offset == 1 ? second : 0x80...0xBF
            guard allowed.contains(bytes[bytes.startIndex + offset]) else { return .invalid(offset) }
        }
        return .complete(length)
    }
}
