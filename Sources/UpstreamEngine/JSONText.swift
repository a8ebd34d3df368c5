/// JSON that is written piece by piece.
struct JSONText {
    var bytes: [UInt8] = []

    /// Adds text as it stands.
    mutating func append(_ text: String) {
        bytes += text.utf8
    }

    /// Adds a string in quotes, with what must not stand in one escaped: quotes, backslashes and control characters.
    mutating func append(quoting text: String) {
        var text = text
        text.withUTF8 { characters in
            bytes.reserveCapacity(bytes.count + characters.count + 2)
            bytes.append(UInt8(ascii: "\""))
            var written = 0
            for (index, byte) in characters.enumerated() where Self.needsEscape(byte) {
                bytes += characters[written..<index]
                bytes += Self.escape(byte)
                written = index + 1
            }
            bytes += characters[written...]
            bytes.append(UInt8(ascii: "\""))
        }
    }

    @inline(__always)
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): return Array(#"\n"#.utf8)
        case UInt8(ascii: "\t"): return Array(#"\t"#.utf8)
        case UInt8(ascii: "\r"): return Array(#"\r"#.utf8)
        default:
            let digits = Array("0123456789abcdef".utf8)
            return Array(#"\u00"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
