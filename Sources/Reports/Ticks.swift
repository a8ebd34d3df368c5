/// The marks of an axis: at round values, few enough to be read.
struct Ticks: Equatable {
    struct Tick: Equatable {
        var value: Double
        var label: String
    }

    var ticks: [Tick]
    /// The distance of two ticks on a linear axis; nil on others.
    var step: Double?
    /// What the axis title gets behind it; empty where the labels carry their units.
    var unit: String

    /// At most `count` (and at least one) ticks at multiples of 1, 2 or 5 of a power of ten within `range`.
    ///
    /// Durations are divided as clocks are: into quarters of an hour, say.
    static func linear(_ range: ClosedRange<Double>, _ quantity: Quantity, atMost count: Int) -> Ticks {
        let unit = AxisUnit.fitting(quantity, upTo: max(range.lowerBound.magnitude, range.upperBound.magnitude))
        let lower = range.lowerBound / unit.factor
        let upper = range.upperBound / unit.factor
        var step = niceStep(atLeast: (upper - lower) / Double(max(count, 1)), preferred: unit.steps)
        if quantity == .count, unit.factor == 1 { step = max(step, 1) }
        let first = (lower / step - 1e-9).rounded(.up)
        let last = (upper / step + 1e-9).rounded(.down)
        let decimals = step < 1 ? max(0, -DecimalText.exponent(of: step)) : 0
        var ticks: [Tick] = []
        var index = first
        while index <= last, ticks.count <= 2 * count {
            let shown = index * step
            let sign = quantity == .fraction ? "\u{A0}%" : ""
            ticks.append(
                Tick(value: shown * unit.factor, label: DecimalText.fixed(shown, decimals: decimals) + sign)
            )
            // Adding one to a number beyond 2⁵³ would not move it.
            guard index + 1 > index else { break }
            index += 1
        }
        return Ticks(ticks: ticks, step: step * unit.factor, unit: quantity == .fraction ? "" : unit.label)
    }

    /// Powers of ten within `range`, with 2 and 5 between them where there is room; labels carry their units.
    static func logarithmic(_ range: ClosedRange<Double>, _ quantity: Quantity, atMost count: Int) -> Ticks {
        let first = DecimalText.exponent(of: range.lowerBound)
        let last = DecimalText.exponent(of: range.upperBound)
        let visible = range.lowerBound * (1 - 1e-9)...range.upperBound * (1 + 1e-9)
        func values(_ mantissas: [Double], every stride: Int = 1) -> [Double] {
            var result: [Double] = []
            for exponent in first...max(first, last) where exponent.isMultiple(of: stride) {
                let power = DecimalText.power(ofTen: exponent)
                result += mantissas.map { $0 * power }.filter { visible.contains($0) }
            }
            return result
        }
        let isWide = last - first > count
        let candidates = isWide ? [] : [values([1, 2, 5]), values([1, 3]), values([1])]
        var chosen = candidates.first { $0.count <= count } ?? []
        var stride = max(2, (last - first) / max(count, 1))
        while chosen.isEmpty, stride < 700 {
            let sparse = values([1], every: stride)
            if sparse.count <= count { chosen = sparse }
            if sparse.isEmpty { break }
            stride += 1
        }
        guard chosen.count > 1 else { return within(range, quantity, atMost: count) }
        return Ticks(ticks: chosen.map { Tick(value: $0, label: quantity.text($0)) }, step: nil, unit: "")
    }

    /// 0, 50 %, 90 %, 95 %, 99 %, 99.5 %, 99.9 % and so on within `range`.
    static func nines(_ range: ClosedRange<Double>, atMost count: Int) -> Ticks {
        let decades = (1...9).map { 1 - DecimalText.power(ofTen: -$0) }
        func within(_ values: [Double]) -> [Double] { values.filter { range.contains($0) } }
        let all = within([0, 0.5, 0.9, 0.95, 0.99, 0.995] + decades.dropFirst(2))
        let chosen = all.count <= count ? all : within([0] + decades)
        return Ticks(ticks: chosen.map { Tick(value: $0, label: nineLabel($0)) }, step: nil, unit: "")
    }

    /// The smallest round number of at least `distance`.
    static func niceStep(atLeast distance: Double, preferred: [Double] = []) -> Double {
        guard distance.isFinite, distance > 0 else { return 1 }
        let threshold = distance * (1 - 1e-9)
        if let first = preferred.first, threshold > first / 2,
            let step = preferred.first(where: { $0 >= threshold })
        {
            return step
        }
        let power = DecimalText.power(ofTen: DecimalText.exponent(of: distance))
        guard power > 0, power.isFinite else { return distance }
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= threshold } ?? 10 * power
    }

    /// The largest 1, 2 or 5 times a power of ten that is at most `value`.
    static func round(below value: Double) -> Double {
        let power = DecimalText.power(ofTen: DecimalText.exponent(of: value))
        guard power > 0, power.isFinite else { return value }
        return [5, 2].map { $0 * power }.first { $0 <= value * (1 + 1e-9) } ?? min(power, value)
    }

    /// The smallest 1, 2 or 5 times a power of ten that is at least `value`.
    static func round(above value: Double) -> Double {
        max(niceStep(atLeast: value), value)
    }

    /// Evenly spaced ticks on a logarithmic axis so short that no round power falls on it.
    private static func within(_ range: ClosedRange<Double>, _ quantity: Quantity, atMost count: Int) -> Ticks {
        var result = linear(range, quantity, atMost: count)
        result.step = nil
        return result
    }

    private static func nineLabel(_ share: Double) -> String {
        var label = DecimalText.fixed(share * 100, decimals: 7)
        while label.last == "0" { label.removeLast() }
        if label.last == "." { label.removeLast() }
        return label + "\u{A0}%"
    }
}
