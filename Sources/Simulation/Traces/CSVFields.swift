/// The fields of one line of CSV (RFC 4180, without line ends inside quotes).
struct CSVFields {
    private(set) var fields: [ByteText] = []

    /// Splits `line`, keeping the storage of the line before.
    ///
    /// - Returns: False if a quote is not closed.
    mutating func split(_ line: ByteText) -> Bool {
        fields.removeAll(keepingCapacity: true)
        let bytes = line.bytes
        let end = line.range.upperBound
        var start = line.range.lowerBound
        while true {
            var index = start
            if index < end, bytes[index] == UInt8(ascii: "\"") {
                guard let close = Self.closingQuote(bytes, from: index + 1, to: end) else { return false }
                index = close + 1
                guard index == end || bytes[index] == UInt8(ascii: ",") else { return false }
                fields.append(ByteText(bytes: bytes, range: (start + 1)..<close))
            } else {
                while index < end, bytes[index] != UInt8(ascii: ",") { index += 1 }
                fields.append(ByteText(bytes: bytes, range: start..<index).trimmed)
            }
            guard index < end else { return true }
            start = index + 1
        }
    }

    private static func closingQuote(_ bytes: [UInt8], from start: Int, to end: Int) -> Int? {
        var index = start
        while index < end {
            if bytes[index] == UInt8(ascii: "\"") {
                guard index + 1 < end, bytes[index + 1] == UInt8(ascii: "\"") else { return index }
                index += 1
            }
            index += 1
        }
        return nil
    }

    /// The text of a field, doubled quotes made single.
    func text(_ index: Int) -> String {
        let field = fields[index]
        let quote = UInt8(ascii: "\"")
        guard field.bytes[field.range].contains(quote) else { return field.string }
        var plain: [UInt8] = []
        var index = field.range.lowerBound
        while index < field.range.upperBound {
            plain.append(field.bytes[index])
            index += field.bytes[index] == quote ? 2 : 1
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
