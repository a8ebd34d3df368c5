/// Finds where a text stops being JSON (RFC 8259): the standard decoder only says that it does.
struct JSONFault {
    private struct Unexpected: Error {}

    private let bytes: [UInt8]
    private var index = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Where the first byte stands that can't be there, both counted from 1, columns in bytes; nil if none is found.
    static func place(in bytes: [UInt8]) -> (line: Int, column: Int)? {
        var fault = JSONFault(bytes)
        do {
            try fault.value(depth: 0)
            fault.skipSpace()
            if fault.index == bytes.count { return nil }
        } catch {
            // The index stands where reading stopped.
        }
        let before = bytes[..<fault.index]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return (before.count { $0 == UInt8(ascii: "\n") } + 1, fault.index - lineStart + 1)
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { index += 1 }
    }

    private mutating func expect(_ text: StaticString) throws(Unexpected) {
        for offset in 0..<text.utf8CodeUnitCount {
            guard next == text.utf8Start[offset] else { throw Unexpected() }
            index += 1
        }
    }

    private mutating func value(depth: Int) throws(Unexpected) {
        skipSpace()
        guard depth < 512, let first = next else { throw Unexpected() }
        switch first {
        case UInt8(ascii: "{"): try list(closing: UInt8(ascii: "}"), hasKeys: true, depth)
        case UInt8(ascii: "["): try list(closing: UInt8(ascii: "]"), hasKeys: false, depth)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try expect("true")
        case UInt8(ascii: "f"): try expect("false")
        case UInt8(ascii: "n"): try expect("null")
        default: try number()
        }
    }

    private mutating func list(closing: UInt8, hasKeys: Bool, _ depth: Int) throws(Unexpected) {
        index += 1
        skipSpace()
        if next == closing {
            index += 1
            return
        }
        while true {
            skipSpace()
            if hasKeys {
                try string()
                skipSpace()
                try expect(":")
            }
            try value(depth: depth + 1)
            skipSpace()
            if next == closing {
                index += 1
                return
            }
            try expect(",")
        }
    }

    private mutating func string() throws(Unexpected) {
        try expect("\"")
        while let byte = next, byte >= 0x20 {
            index += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next, "\"\\/bfnrtu".utf8.contains(escaped) else { throw Unexpected() }
                index += 1
            }
        }
        throw Unexpected()
    }

    private mutating func number() throws(Unexpected) {
        if next == UInt8(ascii: "-") { index += 1 }
        try digits()
        if next == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(Unexpected) {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        if index == start { throw Unexpected() }
    }
}
