/// Reads JSON (RFC 8259) from front to back, the parts that are wanted; what is not is checked and skipped.
///
/// Made for the events of streamed answers, hundreds a second of a hundred bytes each, and for requests, whose prompts are
/// long. Nothing is kept but what is asked for.
package struct JSONReader {
    /// The text is no JSON, or a value is of another type than it must be.
    package struct Unreadable: Error {
        package init() {}
    }

    /// As deep as values may lie in one another.
    private static let maximumDepth = 128

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Where it stands; `bytes` from one place to another are a value that was skipped.
    package var position: Int { index }

    package func slice(from start: Int) -> ArraySlice<UInt8> { bytes[start..<index] }

    /// - Throws: if anything but space is left.
    package mutating func end() throws(Unreadable) {
        skipSpace()
        guard index == bytes.count else { throw Unreadable() }
    }

    /// Whether the next value is null, which is then passed.
    package mutating func null() throws(Unreadable) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    /// Calls `body` with the name of each field; it has to read the value or skip it.
    ///
    /// - Returns: false for null.
    @discardableResult
    package mutating func object(
        _ body: (_ name: Name, inout JSONReader) throws(Unreadable) -> Void
    ) throws(Unreadable) -> Bool {
        if try null() { return false }
        try open(UInt8(ascii: "{"))
        if try closes(UInt8(ascii: "}")) { return true }
        repeat {
            guard try peek() == UInt8(ascii: "\"") else { throw Unreadable() }
            let name = try name()
            guard try peek() == UInt8(ascii: ":") else { throw Unreadable() }
            index += 1
            try body(name, &self)
        } while try goesOn(until: UInt8(ascii: "}"))
        return true
    }

    /// Calls `body` for each element; it has to read it or skip it.
    ///
    /// - Returns: false for null.
    @discardableResult
    package mutating func array(_ body: (inout JSONReader) throws(Unreadable) -> Void) throws(Unreadable) -> Bool {
        if try null() { return false }
        try open(UInt8(ascii: "["))
        if try closes(UInt8(ascii: "]")) { return true }
        repeat { try body(&self) } while try goesOn(until: UInt8(ascii: "]"))
        return true
    }

    /// A string; nil for null.
    package mutating func string() throws(Unreadable) -> String? {
        if try null() { return nil }
        let (start, end, hasEscapes) = try stringExtent()
        let content = hasEscapes ? try Self.unescaped(bytes[start..<end])[...] : bytes[start..<end]
        guard let text = String(validating: content, as: UTF8.self) else { throw Unreadable() }
        return text
    }

    /// A whole number; nil for null.
    package mutating func integer() throws(Unreadable) -> Int? {
        if try null() { return nil }
        _ = try peek()
        let start = index
        try passNumber()
        // Digits alone, nearly always; otherwise a number like 3.0 or 1e3.
        var value = 0
        for byte in bytes[start..<index] {
            let digit = Int(byte) - Int(UInt8(ascii: "0"))
            guard (0...9).contains(digit), value <= Int.max / 10 - 1 else {
                guard let number = Double(String(decoding: bytes[start..<index], as: UTF8.self)),
                    let whole = Int(exactly: number)
                else { throw Unreadable() }
                return whole
            }
            value = value * 10 + digit
        }
        return value
    }

    /// A finite number; nil for null.
    package mutating func number() throws(Unreadable) -> Double? {
        if try null() { return nil }
        _ = try peek()
        let start = index
        try passNumber()
        guard let number = Double(String(decoding: bytes[start..<index], as: UTF8.self)), number.isFinite else {
            throw Unreadable()
        }
        return number
    }

    /// True or false; nil for null.
    package mutating func boolean() throws(Unreadable) -> Bool? {
        if try null() { return nil }
        guard try peek() == UInt8(ascii: "t") else {
            try word("false")
            return false
        }
        try word("true")
        return true
    }

    /// Passes any value.
    package mutating func skip() throws(Unreadable) {
        switch try peek() {
        case UInt8(ascii: "{"): try object { _, reader throws(Unreadable) in try reader.skip() }
        case UInt8(ascii: "["): try array { reader throws(Unreadable) in try reader.skip() }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try passNumber()
        }
    }
}

extension JSONReader {
    /// The name of a field, compared without making a string of it.
    package struct Name {
        fileprivate let bytes: ArraySlice<UInt8>

        package static func == (name: Name, other: String) -> Bool { name.bytes.elementsEqual(other.utf8) }

        package static func ~= (pattern: StaticString, name: Name) -> Bool {
            pattern.utf8CodeUnitCount == name.bytes.count
                && name.bytes.elementsEqual(UnsafeBufferPointer(start: pattern.utf8Start, count: name.bytes.count))
        }
    }

    private mutating func name() throws(Unreadable) -> Name {
        let (start, end, hasEscapes) = try stringExtent()
        return Name(bytes: hasEscapes ? try Self.unescaped(bytes[start..<end])[...] : bytes[start..<end])
    }

    /// The next byte that is no space.
    private mutating func peek() throws(Unreadable) -> UInt8 {
        skipSpace()
        guard index < bytes.count else { throw Unreadable() }
        return bytes[index]
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): index += 1
            default: return
            }
        }
    }

    private mutating func open(_ bracket: UInt8) throws(Unreadable) {
        guard try peek() == bracket, depth < Self.maximumDepth else { throw Unreadable() }
        index += 1
        depth += 1
    }

    private mutating func closes(_ bracket: UInt8) throws(Unreadable) -> Bool {
        guard try peek() == bracket else { return false }
        index += 1
        depth -= 1
        return true
    }

    private mutating func goesOn(until bracket: UInt8) throws(Unreadable) -> Bool {
        if try closes(bracket) { return false }
        guard bytes[index] == UInt8(ascii: ",") else { throw Unreadable() }
        index += 1
        return true
    }

    private mutating func word(_ word: StaticString) throws(Unreadable) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard index < bytes.count, bytes[index] == word.utf8Start[offset] else { throw Unreadable() }
            index += 1
        }
    }

    /// Passes a string and says where its content is; `index` is at its quote.
    private mutating func stringExtent() throws(Unreadable) -> (start: Int, end: Int, hasEscapes: Bool) {
        guard try peek() == UInt8(ascii: "\"") else { throw Unreadable() }
        index += 1
        let start = index
        var hasEscapes = false
        while true {
            index = bytes.withUnsafeBytes { PlainText.end(in: $0, from: min(index, $0.count)) }
            guard index < bytes.count, bytes[index] >= 0x20 else { throw Unreadable() }
            guard bytes[index] != UInt8(ascii: "\"") else {
                index += 1
                return (start, index - 1, hasEscapes)
            }
            hasEscapes = true
            index += 2
        }
    }

    /// Checks a string without making one.
    private mutating func skipString() throws(Unreadable) {
        let start = index
        let extent = try stringExtent()
        let isPlain = bytes.withUnsafeBytes { PlainText.isASCII($0[extent.start..<extent.end]) }
        if extent.hasEscapes || !isPlain {
            index = start
            _ = try string()
        }
    }

    private mutating func passNumber() throws(Unreadable) {
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") { index += 1 }
        let first = index
        try digits()
        guard bytes[first] != UInt8(ascii: "0") || index == first + 1 else { throw Unreadable() }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        guard index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") else { return }
        index += 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
        try digits()
    }

    private mutating func digits() throws(Unreadable) {
        let start = index
        while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        guard index > start else { throw Unreadable() }
    }
}
