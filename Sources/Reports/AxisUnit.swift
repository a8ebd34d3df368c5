/// The unit that one axis is labelled in, the same for all of its ticks.
struct AxisUnit: Hashable, Sendable {
    /// How much of the base unit one of this unit is.
    let factor: Double
    let label: String
    /// Distances that ticks of this unit like; a decade of 1, 2 and 5 where empty.
    var steps: [Double] = []

    static let microseconds = AxisUnit(factor: 1e-6, label: "µs")
    static let milliseconds = AxisUnit(factor: 1e-3, label: "ms")
    static let seconds = AxisUnit(factor: 1, label: "s")
    static let minutes = AxisUnit(factor: 60, label: "min", steps: [1, 2, 5, 10, 15, 20, 30, 60])
    static let hours = AxisUnit(factor: 3600, label: "h", steps: [0.5, 1, 2, 3, 4, 6, 12, 24, 48])

    /// The unit for values up to `magnitude`, on an axis with evenly spaced ticks.
    static func fitting(_ quantity: Quantity, upTo magnitude: Double) -> AxisUnit {
        switch quantity {
        case .seconds: return duration(upTo: magnitude)
        case .fraction: return AxisUnit(factor: 0.01, label: "%")
        case .money(let sign): return multiple(of: sign, upTo: magnitude)
        case .unit(let unit): return multiple(of: unit, upTo: magnitude)
        case .number, .count: return multiple(of: "", upTo: magnitude)
        }
    }

    private static func duration(upTo magnitude: Double) -> AxisUnit {
        switch magnitude {
        case 14400...: hours
        case 240...: minutes
        case 1...: seconds
        case 1e-3...: milliseconds
        default: microseconds
        }
    }

    private static func multiple(of unit: String, upTo magnitude: Double) -> AxisUnit {
        let (factor, prefix) =
            switch magnitude {
            case 1e15...: (1.0, "")
            case 2e9...: (1e9, "billion")
            case 2e6...: (1e6, "million")
            default: (1.0, "")
            }
        return AxisUnit(factor: factor, label: [prefix, unit].filter { !$0.isEmpty }.joined(separator: "\u{A0}"))
    }
}
