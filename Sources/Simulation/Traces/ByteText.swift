internal import ServingModel

/// A stretch of a file's bytes: a line, or a field of one.
///
/// Traces have millions of lines, and going by `Character` would cost more than the simulation of their queries.
struct ByteText {
    let bytes: [UInt8]
    private(set) var range: Range<Int>

    init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    var isEmpty: Bool { range.isEmpty }
    var string: String { String(decoding: bytes[range], as: UTF8.self) }

    /// For messages: in quotes, cut if it is long.
    var quoted: String {
        range.count <= 40 ? "\"\(string)\"" : "\"\(String(decoding: bytes[range.prefix(40)], as: UTF8.self))…\""
    }

    /// Without spaces, tabs and carriage returns at both ends.
    var trimmed: ByteText {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, Self.isBlank(bytes[lower]) { lower += 1 }
        while lower < upper, Self.isBlank(bytes[upper - 1]) { upper -= 1 }
        return ByteText(bytes: bytes, range: lower..<upper)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    /// The bytes as a whole number; nil if they are anything else or do not fit.
    var wholeNumber: Int? {
        var index = range.lowerBound
        var negative = false
        if index < range.upperBound, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            negative = bytes[index] == UInt8(ascii: "-")
            index += 1
        }
        guard index < range.upperBound else { return nil }
        var value = 0
        while index < range.upperBound {
            guard let digit = Self.digit(bytes[index]) else { return nil }
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(digit)
            guard !tooLarge, !overflow else { return nil }
            value = sum
            index += 1
        }
        return negative ? -value : value
    }

    /// A decimal number times 10 to the `exponent`, to the nearest whole number, halves up; nil if it is none,
    /// negative or above 4 · 10¹⁸.
    ///
    /// Exact, where the way through `Double` would lose nanoseconds after 104 days.
    func scaledDecimal(exponent: Int) -> Int64? {
        var value = 0
        var digits = 0
        var decimals = -1
        for index in range {
            let byte = bytes[index]
            if byte == UInt8(ascii: "."), decimals < 0 {
                decimals = 0
            } else if let digit = Self.digit(byte) {
                digits += 1
                if decimals < 0 || decimals < exponent {
                    guard value < 400_000_000_000_000_000 else { return nil }
                    value = value * 10 + digit
                } else if decimals == exponent, digit >= 5 {
                    value += 1
                }
                if decimals >= 0 { decimals += 1 }
            } else if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
                return scaledFloatingPoint(exponent: exponent)
            } else {
                return nil
            }
        }
        guard digits > 0 else { return nil }
        for _ in 0..<max(0, exponent - max(0, decimals)) {
            guard value < 400_000_000_000_000_000 else { return nil }
            value *= 10
        }
        return Int64(value)
    }

    private func scaledFloatingPoint(exponent: Int) -> Int64? {
        guard var value = Double(string), value.isFinite, value >= 0 else { return nil }
        for _ in 0..<exponent { value *= 10 }
        return value < 4e18 ? Int64(value.rounded(.toNearestOrAwayFromZero)) : nil
    }

    static func digit(_ byte: UInt8) -> Int? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int(byte - UInt8(ascii: "0")) : nil
    }
}
