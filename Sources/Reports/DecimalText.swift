/// Numbers as decimal text, the same on every machine.
package enum DecimalText {
    /// What a value that is no number is shown as.
    package static let missing = "–"

    /// `value` with exactly `decimals` digits after the point and thousands separators: `12,345.60`.
    ///
    /// Halves are rounded away from zero. From 10¹⁵ on, where a `Double` has no digits left to show, the form is `1.5e15`.
    package static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return nonFinite(value) }
        let places = min(max(decimals, 0), 12)
        guard let digits = scaledDigits(value.magnitude, places: places) else { return scientific(value, digits: 3) }
        let whole = digits.dropLast(places)
        let sign = value < 0 && digits.contains { $0 != "0" } ? "\u{2212}" : ""
        return sign + grouped(String(whole)) + (places > 0 ? "." + digits.suffix(places) : "")
    }

    /// `value` rounded to `digits` significant digits, never to fewer than its whole digits: `0.0123`, `1.23`, `12,345`.
    ///
    /// Zeros at the end are left out. Below 10⁻⁶ the form is `1.2e−7`.
    package static func significant(_ value: Double, digits: Int = 3) -> String {
        guard value.isFinite else { return nonFinite(value) }
        guard value != 0 else { return "0" }
        let exponent = exponent(of: value.magnitude, digits: digits)
        guard exponent >= -6 else { return scientific(value, digits: digits) }
        let decimals = max(0, digits - 1 - exponent)
        return trimmed(fixed(value, decimals: decimals))
    }

    /// A coordinate in a drawing: one decimal at most, an ASCII sign, no separators.
    static func coordinate(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let tenths = Int((min(max(value, -1e9), 1e9) * 10).rounded())
        let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
        return (tenths < 0 ? "-" : "") + String(whole) + (rest == 0 ? "" : ".\(rest)")
    }

    /// Ten to the power of `exponent`, correctly rounded for |exponent| ≤ 22.
    static func power(ofTen exponent: Int) -> Double {
        var result = 1.0
        for _ in 0..<min(exponent.magnitude, 400) { result *= 10 }
        return exponent < 0 ? 1 / result : result
    }

    /// The exponent of the first digit of a positive `value` that is rounded to `digits` digits.
    static func exponent(of value: Double, digits: Int = 12) -> Int {
        guard value.isFinite, value > 0 else { return 0 }
        var exponent = 0
        var rest = value
        while rest >= 10 {
            rest /= 10
            exponent += 1
        }
        while rest < 1 {
            rest *= 10
            exponent -= 1
        }
        let scale = power(ofTen: min(max(digits, 1), 15) - 1)
        return (rest * scale).rounded() >= 10 * scale ? exponent + 1 : exponent
    }

    private static func nonFinite(_ value: Double) -> String {
        if value.isNaN { return missing }
        return value < 0 ? "\u{2212}∞" : "∞"
    }

    /// The digits of `value · 10^places`, with zeros before so that one is left of the point; nil where too large.
    private static func scaledDigits(_ value: Double, places: Int) -> String? {
        let scaled = (value * power(ofTen: places)).rounded(.toNearestOrAwayFromZero)
        guard scaled < 1e15 else { return places > 0 && value < 1e15 ? fewer(value, places: places) : nil }
        let digits = String(Int(scaled))
        return String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    }

    /// As many decimals as a `Double` of this size has, zeros for the rest.
    private static func fewer(_ value: Double, places: Int) -> String? {
        scaledDigits(value, places: places - 1).map { $0 + "0" }
    }

    private static func grouped(_ whole: String) -> String {
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return result
    }

    private static func trimmed(_ number: String) -> String {
        guard number.contains(".") else { return number }
        var result = number
        while result.last == "0" { result.removeLast() }
        if result.last == "." { result.removeLast() }
        return result
    }

    private static func scientific(_ value: Double, digits: Int) -> String {
        let exponent = exponent(of: value.magnitude, digits: digits)
        // In two steps: the power itself may be out of range where the quotient is not.
        let half = exponent / 2
        let mantissa = value / power(ofTen: half) / power(ofTen: exponent - half)
        let sign = exponent < 0 ? "\u{2212}" : ""
        return trimmed(fixed(mantissa, decimals: max(0, digits - 1))) + "e" + sign + String(exponent.magnitude)
    }
}
