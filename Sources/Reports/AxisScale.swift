#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// An axis laid over a length of the drawing: which value falls where, and which ticks it has.
struct AxisScale {
    let axis: Axis
    /// What is shown.
    let range: ClosedRange<Double>
    let ticks: Ticks
    /// Where the lower and the upper bound are drawn; the first is the larger one on upright axes.
    var start: Double
    var end: Double

    private let lower: Double
    private let upper: Double

    /// - Parameters:
    ///   - values: The data that are to be seen; those that the scale has no place for are skipped.
    ///   - rounded: Whether the range is widened to the next ticks.
    ///   - tickCount: The largest number of ticks that can be told apart.
    init(_ axis: Axis, over values: some Sequence<Double>, rounded: Bool, tickCount: Int) {
        self.axis = axis
        var extent = Self.extent(of: values, on: axis)
        switch axis.scale {
        case .linear:
            if axis.range == nil, rounded {
                let step = Ticks.linear(extent, axis.quantity, atMost: tickCount).step ?? 1
                let low = (extent.lowerBound / step + 1e-9).rounded(.down) * step
                let high = (extent.upperBound / step - 1e-9).rounded(.up) * step
                if low.isFinite, high.isFinite, low < high { extent = low...high }
            }
            ticks = Ticks.linear(extent, axis.quantity, atMost: tickCount)
        case .logarithmic:
            if axis.range == nil, rounded {
                extent = Ticks.round(below: extent.lowerBound)...Ticks.round(above: extent.upperBound)
            }
            ticks = Ticks.logarithmic(extent, axis.quantity, atMost: tickCount)
        case .nines:
            ticks = Ticks.nines(extent, atMost: tickCount)
        }
        range = extent
        start = 0
        end = 1
        lower = Self.place(extent.lowerBound, on: axis.scale)
        upper = Self.place(extent.upperBound, on: axis.scale)
    }

    /// A level axis with as many ticks as have room for their labels in `width`.
    static func level(_ axis: Axis, over values: [Double], rounded: Bool, width: Double) -> AxisScale {
        var count = max(2, Int(width / 56))
        while true {
            var scale = AxisScale(axis, over: values, rounded: rounded, tickCount: count)
            scale.end = width
            if count <= 2 || scale.labelsFit { return scale }
            count -= 1
        }
    }

    private var labelsFit: Bool {
        let spans = ticks.ticks.compactMap { tick in
            position(tick.value).map { ($0, TextWidth.of(tick.label, size: Drawing.smallFontSize) / 2) }
        }
        return zip(spans, spans.dropFirst()).allSatisfy { $0.0 + $0.1 + 12 < $1.0 - $1.1 }
    }

    /// Where `value` is drawn, possibly outside of the range; nil where the scale has no place for it.
    func position(_ value: Double) -> Double? {
        guard axis.shows(value) else { return nil }
        // One is infinitely far away on a scale of nines: it is drawn at the upper bound.
        let shown = axis.scale == .nines ? min(value, range.upperBound) : value
        let share = (Self.place(shown, on: axis.scale) - lower) / (upper - lower)
        return share.isFinite ? start + share * (end - start) : nil
    }

    func isVisible(_ value: Double) -> Bool {
        axis.shows(value) && range.contains(value)
    }

    /// The title with the unit behind it.
    var title: String {
        if ticks.unit.isEmpty { return axis.title }
        return axis.title.isEmpty ? ticks.unit : "\(axis.title) (\(ticks.unit))"
    }

    private static func place(_ value: Double, on scale: Axis.Scale) -> Double {
        switch scale {
        case .linear: value
        case .logarithmic: log10(value)
        case .nines: -log10(1 - value)
        }
    }

    /// The range to show: the one asked for, or that of the values, never empty.
    private static func extent(of values: some Sequence<Double>, on axis: Axis) -> ClosedRange<Double> {
        if let range = axis.range, axis.shows(range.lowerBound), axis.shows(range.upperBound),
            range.lowerBound < range.upperBound, axis.scale != .nines || range.upperBound < 1
        {
            return range
        }
        var low = Double.infinity
        var high = -Double.infinity
        // On a scale of nines, one itself does not widen the range.
        for value in values where axis.shows(value) && (axis.scale != .nines || value < 1) {
            low = min(low, value)
            high = max(high, value)
        }
        switch axis.scale {
        case .linear: return linearExtent(low, high, axis)
        case .logarithmic:
            guard low <= high else { return 1...10 }
            (low, high) = (min(max(low, 1e-300), 1e299), min(max(high, 1e-300), 1e299))
            return low < high * 0.999 ? low...high : max(low / 2, .leastNormalMagnitude)...min(high * 2, 1e300)
        case .nines:
            return 0...(low <= high ? min(max(high, 0.9), 0.999_999_999) : 0.99)
        }
    }

    private static func linearExtent(_ low: Double, _ high: Double, _ axis: Axis) -> ClosedRange<Double> {
        guard low <= high else { return 0...1 }
        var (low, high) = (low, high)
        if axis.includesZero {
            low = min(low, 0)
            high = max(high, 0)
        }
        let room = max(low.magnitude, high.magnitude)
        if high - low <= room * 1e-9 {
            // A single value: half of it to either side, or one where it is zero.
            let margin = room == 0 ? 1 : room / 2
            return max(low - margin, -1e300)...min(high + margin, 1e300)
        }
        return max(low, -1e300)...min(high, 1e300)
    }
}
