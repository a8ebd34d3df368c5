/// Protobuf's wire format by hand, to say what no encoder of ours would.
enum Wire {
    static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] {
        varint(field << 3) + varint(value)
    }

    static func real(_ field: UInt64, _ value: Double) -> [UInt8] {
        varint(field << 3 | 1) + (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
    }

    static func bytes(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(content.count)) + content
    }

    static func text(_ field: UInt64, _ content: String) -> [UInt8] {
        bytes(field, Array(content.utf8))
    }

    static func packed(_ field: UInt64, _ values: [UInt64]) -> [UInt8] {
        bytes(field, values.flatMap(varint))
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
