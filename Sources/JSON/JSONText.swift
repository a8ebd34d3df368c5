/// JSON that is written piece by piece.
package struct JSONText {
    package var bytes: [UInt8] = []

    package init() {}

    /// Adds text as it stands.
    package mutating func append(_ text: String) {
        bytes += text.utf8
    }

    /// Adds a string in quotes, with what must not stand in one escaped: quotes, backslashes and control characters.
    package mutating func append(quoting text: String) {
        var text = text
        text.withUTF8 { characters in
            bytes.reserveCapacity(bytes.count + characters.count + 2)
            bytes.append(UInt8(ascii: "\""))
            let raw = UnsafeRawBufferPointer(characters)
            var written = 0
            while true {
                let end = PlainText.end(in: raw, from: written)
                bytes += raw[written..<end]
                guard end < raw.count else { break }
                bytes += Self.escape(raw[end])
                written = end + 1
            }
            bytes.append(UInt8(ascii: "\""))
        }
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
