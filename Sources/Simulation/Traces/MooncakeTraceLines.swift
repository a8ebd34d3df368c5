internal import ServingModel

/// Reads Mooncake's lines: `{"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [n, …]}`.
///
/// A scanner of its own, because this layer has no JSON parser and a general one would build a tree for every line.
struct MooncakeTraceLines {
    /// Tokens that each of `hash_ids` stands for; the last may be of fewer.
    private static let blockTokens = 512

    func entry(_ line: ByteText, number: Int) throws(TraceError) -> Trace.Entry {
        var scanner = Scanner(text: line, line: number)
        var arrival: Interval?
        var input: Int?
        var output: Int?
        var blocks: [UInt64] = []
        try scanner.expect("{")
        if !scanner.skip("}") {
            repeat {
                let key = try scanner.string()
                try scanner.expect(":")
                switch key {
                case "timestamp": arrival = try scanner.milliseconds(key)
                case "input_length": input = try scanner.tokens(key)
                case "output_length": output = try scanner.tokens(key)
                case "hash_ids": blocks = try scanner.blocks(key)
                default: try scanner.skipValue(depth: 0)
                }
            } while scanner.skip(",")
            try scanner.expect("}")
        }
        try scanner.expectEnd()
        guard let arrival else { throw scanner.missing("timestamp") }
        guard let input else { throw scanner.missing("input_length") }
        guard let output else { throw scanner.missing("output_length") }
        return Trace.Entry(
            arrival: arrival,
            inputTokens: input,
            outputTokens: output,
            blocks: PromptBlocks(hashes: blocks, blockTokens: Self.blockTokens),
            line: number
        )
    }
}

/// A cursor over one line of JSON.
private struct Scanner {
    private let text: ByteText
    private let line: Int
    private var index: Int

    init(text: ByteText, line: Int) {
        self.text = text
        self.line = line
        index = text.range.lowerBound
    }

    func missing(_ key: String) -> TraceError { TraceError(line: line, message: "\(key) is missing") }

    private func malformed(_ expected: String) -> TraceError {
        TraceError(
            line: line,
            message: "no JSON object: expected \(expected) at byte \(index - text.range.lowerBound + 1)"
        )
    }

    private var byte: UInt8? { index < text.range.upperBound ? text.bytes[index] : nil }

    private mutating func skipBlanks() {
        while let byte, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
            index += 1
        }
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard byte == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(TraceError) {
        guard skip(character) else { throw malformed("\(character)") }
    }

    mutating func expectEnd() throws(TraceError) {
        skipBlanks()
        guard byte == nil else { throw malformed("the end of the line") }
    }

    /// Escapes are kept as they stand: none of the keys that are looked for has one.
    mutating func string() throws(TraceError) -> String {
        try expect("\"")
        let start = index
        while let byte, byte != UInt8(ascii: "\"") { index += byte == UInt8(ascii: "\\") ? 2 : 1 }
        guard byte != nil else {
            index = text.range.upperBound
            throw malformed("a closing quote")
        }
        index += 1
        return ByteText(bytes: text.bytes, range: start..<(index - 1)).string
    }

    /// Anything up to the next comma, bracket, brace or blank: a number, `null`, `true` or `false`.
    private mutating func scalar() throws(TraceError) -> ByteText {
        skipBlanks()
        let start = index
        while let byte, ByteText.digit(byte) != nil || Self.isWordByte(byte) { index += 1 }
        guard index > start else { throw malformed("a value") }
        return ByteText(bytes: text.bytes, range: start..<index)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }

    private func wrong(_ key: String, _ value: ByteText, _ expected: String) -> TraceError {
        TraceError(line: line, message: "\(key) is \(value.quoted): expected \(expected)")
    }

    mutating func milliseconds(_ key: String) throws(TraceError) -> Interval {
        let value = try scalar()
        guard let nanoseconds = value.scaledDecimal(exponent: 6) else {
            throw wrong(key, value, "a number of milliseconds from 0")
        }
        return Interval(nanoseconds: nanoseconds)
    }

    mutating func tokens(_ key: String) throws(TraceError) -> Int {
        let value = try scalar()
        guard let count = value.wholeNumber, Trace.tokenCounts.contains(count) else {
            throw wrong(key, value, "a whole number from 1")
        }
        return count
    }

    private var endsElement: Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: " ")
    }

    mutating func blocks(_ key: String) throws(TraceError) -> [UInt64] {
        try expect("[")
        var blocks: [UInt64] = []
        if skip("]") { return blocks }
        blocks.reserveCapacity(32)
        repeat {
            skipBlanks()
            let start = index
            // Most of a file is these numbers: up to 18 digits, which fit, are read in place.
            var block = 0
            while let byte, let digit = ByteText.digit(byte), index - start < 18 {
                block = block * 10 + digit
                index += 1
            }
            if index == start || !endsElement {
                index = start
                let value = try scalar()
                guard let whole = value.wholeNumber, whole >= 0 else {
                    throw wrong(key, value, "whole numbers from 0")
                }
                block = whole
            }
            blocks.append(UInt64(block))
        } while skip(",")
        try expect("]")
        return blocks
    }

    mutating func skipValue(depth: Int) throws(TraceError) {
        guard depth < 64 else { throw malformed("fewer than 64 nested values") }
        if skip("{") {
            if skip("}") { return }
            repeat {
                _ = try string()
                try expect(":")
                try skipValue(depth: depth + 1)
            } while skip(",")
            try expect("}")
        } else if skip("[") {
            if skip("]") { return }
            repeat { try skipValue(depth: depth + 1) } while skip(",")
            try expect("]")
        } else if byte == UInt8(ascii: "\"") {
            _ = try string()
        } else {
            _ = try scalar()
        }
    }
}
