extension JSONReader {
    /// A string's content with what is escaped in it put in place.
    static func unescaped(_ content: ArraySlice<UInt8>) throws(Unreadable) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var rest = content
        while true {
            let plain = rest.withUnsafeBytes { PlainText.end(in: $0, from: 0) }
            result += rest.prefix(plain)
            rest = rest.dropFirst(plain)
            // A string ends where its content does, and what else is not plain has been refused: this is a backslash.
            guard rest.popFirst() != nil else { return result }
            switch rest.popFirst() {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "u"): result += Array(Character(try scalar(&rest)).utf8)
            case let other?
            where other == UInt8(ascii: "\"") || other == UInt8(ascii: "\\") || other == UInt8(ascii: "/"):
                result.append(other)
            default: throw Unreadable()
            }
        }
    }

    /// What follows `\u`: four digits, and as many again after a high surrogate.
    private static func scalar(_ rest: inout ArraySlice<UInt8>) throws(Unreadable) -> Unicode.Scalar {
        let unit = try codeUnit(&rest)
        guard (0xD800..<0xDC00).contains(unit) else {
            guard let scalar = Unicode.Scalar(unit) else { throw Unreadable() }
            return scalar
        }
        guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u") else { throw Unreadable() }
        let low = try codeUnit(&rest)
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(low) - 0xDC00)
        else { throw Unreadable() }
        return scalar
    }

    private static func codeUnit(_ rest: inout ArraySlice<UInt8>) throws(Unreadable) -> UInt16 {
        guard rest.count >= 4, !rest.prefix(4).contains(UInt8(ascii: "+")), !rest.prefix(4).contains(UInt8(ascii: "-")),
            let unit = UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16)
        else { throw Unreadable() }
        rest.removeFirst(4)
        return unit
    }
}
