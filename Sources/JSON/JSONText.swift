/// JSON that is written piece by piece.
package struct JSONText {
    package var bytes: [UInt8] = []

    /// - Parameter capacity: about the bytes that there will be.
    package init(reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Adds text as it stands.
    package mutating func append(_ text: String) {
        bytes += text.utf8
    }

    /// Adds a string in quotes, with what must not stand in one escaped: quotes, backslashes and control characters.
    package mutating func append(quoting text: String) {
        var text = text
        text.withUTF8 { characters in
            reserve(characters.count + 2)
            bytes.append(UInt8(ascii: "\""))
            let raw = UnsafeRawBufferPointer(characters)
            var written = 0
            while true {
                let end = PlainText.end(in: raw, from: written)
                bytes += raw[written..<end]
                guard end < raw.count else { break }
                appendEscaped(raw[end])
                written = end + 1
            }
            bytes.append(UInt8(ascii: "\""))
        }
    }

    /// Makes room, and twice as much as there was when it has to be made: many small strings follow each other.
    private mutating func reserve(_ count: Int) {
        guard bytes.capacity < bytes.count + count else { return }
        bytes.reserveCapacity(max(bytes.count + count, 2 * bytes.capacity))
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        default:
            append("u00")
            for digit in [byte >> 4, byte & 15] {
                bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
    }
}
