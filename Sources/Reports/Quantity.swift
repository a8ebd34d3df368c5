/// What a number measures, and so how it is written.
package enum Quantity: Hashable, Sendable {
    case number
    /// Things that come whole: workers, queries. Ticks are never closer than one.
    case count
    /// A duration in seconds, shown in µs, ms, s, min or h.
    case seconds
    /// A share between 0 and 1, shown in per cent.
    case fraction
    /// A number with a unit that is shown behind it: `tokens`, `GPU h`, `queries/s`.
    case unit(String)
    /// An amount with the currency's sign in front of it.
    case money(String)

    /// `value` as a reader wants it: three significant digits or all whole ones, thousands separated, with the unit.
    package func text(_ value: Double) -> String {
        guard value.isFinite else { return DecimalText.significant(value) }
        switch self {
        case .number, .count: return DecimalText.significant(value)
        case .seconds: return Self.duration(value)
        case .fraction: return Self.percentage(value)
        case .unit(let unit): return DecimalText.significant(value) + "\u{A0}" + unit
        case .money(let sign): return Self.amount(value, sign: sign)
        }
    }

    private static func duration(_ seconds: Double) -> String {
        let magnitude = seconds.magnitude
        let unit: AxisUnit =
            switch magnitude {
            case 0: .seconds
            case ..<0.000_999_5: .microseconds
            case ..<0.9995: .milliseconds
            case ..<120: .seconds
            case ..<7200: .minutes
            default: .hours
            }
        return DecimalText.significant(seconds / unit.factor) + "\u{A0}" + unit.label
    }

    /// Attainments just below one are never rounded up to it: 99.96 %, 99.994 %, and 99.99999 % as 99.999 %.
    private static func percentage(_ fraction: Double) -> String {
        let percent = fraction * 100
        let isWhole = (percent - percent.rounded()).magnitude < 1e-9
        let digits =
            switch percent.magnitude {
            case _ where isWhole: DecimalText.fixed(percent, decimals: 0)
            case ..<10: DecimalText.significant(percent)
            case 99.9..<100: DecimalText.significant((percent * 1000).rounded(.towardZero) / 1000, digits: 5)
            default: DecimalText.fixed(percent, decimals: 1)
            }
        return digits + "\u{A0}%"
    }

    private static func amount(_ value: Double, sign: String) -> String {
        let magnitude = value.magnitude
        let digits =
            magnitude >= 1 && magnitude < 100
            ? DecimalText.fixed(magnitude, decimals: 2) : DecimalText.significant(magnitude)
        return (value < 0 ? "\u{2212}" : "") + sign + digits
    }
}
