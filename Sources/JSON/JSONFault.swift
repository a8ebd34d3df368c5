/// Where a text stops being JSON (RFC 8259), and what would be right there: the standard decoder only says that it does.
package struct JSONFault: Hashable, Sendable {
    /// Of the first byte that can't be there; from 1.
    package var line: Int
    /// In bytes, from 1.
    package var column: Int
    package var expected: String

    /// The first fault of a text; nil if none is found.
    package init?(in bytes: [UInt8]) {
        var scanner = Scanner(bytes)
        do throws(Unexpected) {
            try scanner.document()
            return nil
        } catch {
            expected = error.expected
        }
        let before = bytes[..<scanner.index]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        line = before.count { $0 == UInt8(ascii: "\n") } + 1
        column = scanner.index - lineStart + 1
    }
}

private struct Unexpected: Error {
    var expected: String
}

/// Its index stands where reading stopped.
private struct Scanner {
    private let bytes: [UInt8]
    private(set) var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func document() throws(Unexpected) {
        try value(depth: 0)
        skipSpace()
        guard next == nil else { throw Unexpected(expected: "the end of the text") }
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { index += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func word(_ text: StaticString) throws(Unexpected) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard next == text.utf8Start[offset] else { throw Unexpected(expected: "\(text)") }
            index += 1
        }
    }

    private mutating func value(depth: Int) throws(Unexpected) {
        skipSpace()
        guard depth < 512 else { throw Unexpected(expected: "fewer values within each other") }
        switch next {
        case UInt8(ascii: "{"): try list(closing: "}", hasNames: true, depth)
        case UInt8(ascii: "["): try list(closing: "]", hasNames: false, depth)
        case UInt8(ascii: "\""): try string("a value")
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func list(closing: Unicode.Scalar, hasNames: Bool, _ depth: Int) throws(Unexpected) {
        index += 1
        skipSpace()
        if skip(closing) { return }
        while true {
            skipSpace()
            if hasNames {
                try string("a name in quotes")
                skipSpace()
                guard skip(":") else { throw Unexpected(expected: "':'") }
            }
            try value(depth: depth + 1)
            skipSpace()
            if skip(closing) { return }
            guard skip(",") else { throw Unexpected(expected: "',' or '\(closing)'") }
        }
    }

    private mutating func string(_ expected: String) throws(Unexpected) {
        guard skip("\"") else { throw Unexpected(expected: expected) }
        let start = index
        while let byte = next, byte >= 0x20 {
            index += 1
            if byte == UInt8(ascii: "\"") {
                guard String(validating: bytes[start..<(index - 1)], as: UTF8.self) != nil else {
                    index = start
                    throw Unexpected(expected: "text in UTF-8")
                }
                return
            }
            if byte == UInt8(ascii: "\\") { try escape() }
        }
        throw Unexpected(expected: "a closing quote")
    }

    private mutating func escape() throws(Unexpected) {
        guard let escaped = next, "\"\\/bfnrtu".utf8.contains(escaped) else {
            throw Unexpected(expected: "one of \"\\/bfnrtu after a backslash")
        }
        index += 1
        guard escaped == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else {
                throw Unexpected(expected: "four hexadecimal digits")
            }
            index += 1
        }
    }

    private mutating func number() throws(Unexpected) {
        let isNegative = skip("-")
        if !skip("0") { try digits(isNegative ? "a digit" : "a value") }
        if skip(".") { try digits("a digit") }
        if skip("e") || skip("E") {
            _ = skip("+") || skip("-")
            try digits("a digit")
        }
    }

    private mutating func digits(_ expected: String) throws(Unexpected) {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        if index == start { throw Unexpected(expected: expected) }
    }
}
