/// Lengths to compare, one bar or a group of bars for each name, with the values written beside them.
package struct BarChart: Chart {
    package struct Bar: Hashable, Sendable {
        package var name: String
        /// One for each of the chart's measures; one that is not finite is shown as missing.
        package var values: [Double]
        package var isEmphasised: Bool

        package init(_ name: String, _ values: [Double], emphasised: Bool = false) {
            self.name = name
            self.values = values
            isEmphasised = emphasised
        }

        package init(_ name: String, _ value: Double, emphasised: Bool = false) {
            self.init(name, [value], emphasised: emphasised)
        }
    }

    package var title: String
    package var summary: String
    package var quantity: Quantity
    /// What each value of a bar is; empty where there is one and the title tells it.
    package var measures: [String]
    package var bars: [Bar]
    /// Whether the bar with the smallest first value comes first.
    package var isSorted: Bool
    /// A value to see the bars against, such as a lower bound.
    package var reference: (value: Double, label: String)?

    private static let thickness = 20.0
    private static let nameHeight = 19.0

    package init(
        _ title: String,
        summary: String = "",
        _ quantity: Quantity,
        measures: [String] = [],
        sorted: Bool = true,
        reference: (value: Double, label: String)? = nil,
        bars: [Bar]
    ) {
        self.title = title
        self.summary = summary
        self.quantity = quantity
        self.measures = measures
        self.isSorted = sorted
        self.reference = reference
        self.bars = bars
    }

    package func drawing(width asked: Double) -> Drawing {
        let width = max(asked, 240)
        var body = Markup()
        let legend = Legend(
            measures.enumerated().map { index, name in
                let colour = Self.colour(index)
                return Legend.Entry(name: name, colour: colour, style: "solid " + colour.cssClass, isArea: true)
            },
            width: width
        )
        legend.draw(into: &body)
        let rows = ordered
        let columns = max(rows.map(\.values.count).max() ?? 0, 1)
        let widestName = rows.map { TextWidth.of($0.name) * 1.06 }.max() ?? 0
        let namesAbove = widestName > width * 0.3
        let left = namesAbove ? 0 : widestName + 12
        let values = rows.flatMap(\.values).filter(\.isFinite) + [reference?.value].compactMap { $0 }.filter(\.isFinite)
        let widestValue = rows.flatMap(\.values).map { TextWidth.of(quantity.text($0)) }.max() ?? 0
        let scale = BarScale(values, left: left, right: width, labels: widestValue + 8)
        let thickness = columns == 1 ? Self.thickness + 4 : Self.thickness
        let gap = namesAbove ? 10.0 : 9
        let rowHeight = Double(columns) * thickness + (namesAbove ? Self.nameHeight : 0) + gap
        let top = legend.height + (reference == nil ? 2 : 20)
        for (row, bar) in rows.enumerated() {
            var y = top + Double(row) * rowHeight
            let middle = y + Double(columns) * thickness / 2
            let name = bar.isEmphasised ? "name" : ""
            if namesAbove {
                body.label(TextWidth.shortened(bar.name, to: width), name, x: 0, y: y + 13)
                y += Self.nameHeight
            } else {
                body.label(bar.name, name, x: left - 10, y: middle + 4.5, anchor: .end)
            }
            draw(bar, at: y, thickness: thickness, scale, into: &body)
        }
        let bottom = top + Double(rows.count) * rowHeight - gap + 2
        let zero = DecimalText.coordinate(scale.zero)
        body.element(
            "path",
            [
                "class": "axis",
                "d": "M\(zero) \(DecimalText.coordinate(top - 2))V\(DecimalText.coordinate(max(bottom, top)))",
            ]
        )
        drawReference(scale, width: width, from: legend.height + 16, to: bottom, into: &body)
        return Drawing(width: width, height: max(bottom, top) + 4, body: body)
    }

    /// The bars as they are shown; missing values come last.
    private var ordered: [Bar] {
        guard isSorted else { return bars }
        func key(_ bar: Bar) -> Double { bar.values.first.map { $0.isFinite ? $0 : .infinity } ?? .infinity }
        return bars.enumerated().sorted { (key($0.element), $0.offset) < (key($1.element), $1.offset) }.map(\.element)
    }

    private func draw(_ bar: Bar, at y: Double, thickness: Double, _ scale: BarScale, into body: inout Markup) {
        let isMuted = !bar.isEmphasised && bars.contains(where: \.isEmphasised)
        for (index, value) in bar.values.enumerated() {
            let top = y + Double(index) * thickness
            let end = scale.position(value)
            if value.isFinite {
                body.element(
                    "rect",
                    [
                        "class": "solid \(Self.colour(index).cssClass)\(isMuted ? " pale" : "")",
                        "x": DecimalText.coordinate(min(scale.zero, end)), "y": DecimalText.coordinate(top + 1),
                        "width": DecimalText.coordinate((end - scale.zero).magnitude),
                        "height": DecimalText.coordinate(thickness - 2), "rx": "1.5",
                    ]
                )
            }
            let style = (bar.isEmphasised ? "name halo" : "halo")
            body.label(quantity.text(value), style, x: max(end, scale.zero) + 6, y: top + thickness / 2 + 4.5)
        }
    }

    private func drawReference(
        _ scale: BarScale,
        width: Double,
        from top: Double,
        to bottom: Double,
        into body: inout Markup
    ) {
        guard let reference, reference.value.isFinite else { return }
        let x = scale.position(reference.value)
        let path = "M\(Pixel(x: x, y: top).text)V\(DecimalText.coordinate(bottom))"
        body.element("path", ["class": "reference", "d": path])
        let extent = TextWidth.of(reference.label, size: Drawing.smallFontSize)
        let start = max(0, min(x - extent / 2, width - extent))
        body.label(reference.label, "muted small", x: start, y: top - 4)
    }

    private static func colour(_ index: Int) -> SeriesColour {
        SeriesColour.allCases[index % SeriesColour.allCases.count]
    }
}

/// The lengths of bars: from zero, to the left for negative values.
private struct BarScale {
    let zero: Double
    private let unit: Double

    init(_ values: [Double], left: Double, right: Double, labels: Double) {
        let low = min(values.min() ?? 0, 0)
        let high = max(values.max() ?? 0, 0)
        let room = max(right - left - labels, 20)
        // Halved, as the difference of two finite numbers may be infinite.
        let span = high / 2 - low / 2
        unit = span > 0 ? room / span : 0
        zero = left - low / 2 * unit
    }

    func position(_ value: Double) -> Double {
        value.isFinite ? zero + value / 2 * unit : zero
    }
}
