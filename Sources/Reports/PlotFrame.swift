/// Where everything in a plot goes: scales, margins, labels.
struct PlotFrame {
    struct ReferenceLabel {
        var text: String
        var x: Double
        var y: Double
        /// Where the line of a label above the plot comes up.
        var foot: Double?
    }

    let width: Double
    let plotHeight: Double
    private(set) var x: AxisScale
    private(set) var y: AxisScale
    private(set) var left = 0.0
    private(set) var right = 0.0
    private(set) var top = 0.0
    private(set) var series: [DrawnSeries] = []
    private(set) var legend: Legend?
    private(set) var seriesLabels: [SeriesLabel] = []
    private(set) var referenceLabels: [ReferenceLabel] = []

    var plotWidth: Double { width - left - right }
    var height: Double { top + plotHeight + 44 }
    /// Of the upright axis' title, from the plot's upper edge.
    private(set) var titleBaseline = -12.0

    init(_ plot: Plot, width: Double) {
        self.width = width
        plotHeight = width < 500 ? 220 : 280
        let hasDots = plot.series.contains { $0.form == .dots }
        y = AxisScale(plot.y, over: Self.upright(plot), rounded: true, tickCount: Int(plotHeight / 42))
        y.start = plotHeight
        y.end = 0
        let tickWidth = y.ticks.ticks.map { TextWidth.of($0.label, size: Drawing.smallFontSize) }.max() ?? 0
        left = min(tickWidth + 12, width / 3)
        x = AxisScale.level(plot.x, over: Self.across(plot), rounded: hasDots, width: width - left - 12)
        // The last tick's label may reach half over the edge.
        let overhang = (x.ticks.ticks.map { TextWidth.of($0.label, size: Drawing.smallFontSize) / 2 }.max() ?? 0) + 2
        right = max(12, overhang)

        let colours = SeriesColour.assigned(to: plot.series.map(\.colour))
        labelSeries(plot, colours)
        place(plot, colours)
        labelReferences(plot)
        top = titleRoom + (legend?.height ?? 0)
    }

    private var titleRoom: Double { 4 - titleBaseline + Drawing.fontSize }

    /// The ends of the line on which both axes show the same value; nil where they have no common range.
    var diagonal: (Pixel, Pixel)? {
        let low = max(x.range.lowerBound, y.range.lowerBound)
        let high = min(x.range.upperBound, y.range.upperBound)
        guard low < high, let x0 = x.position(low), let y0 = y.position(low), let x1 = x.position(high),
            let y1 = y.position(high)
        else { return nil }
        return (Pixel(x: x0, y: y0), Pixel(x: x1, y: y1))
    }

    /// Chooses the first of: names beside the ends of the lines, names within the plot, a legend.
    private mutating func labelSeries(_ plot: Plot, _ colours: [SeriesColour]) {
        let isNamed = plot.series.contains { !$0.name.isEmpty }
        guard isNamed else { return }
        let usual = right
        place(plot, colours)
        if let column = SeriesLabel.beside(series, width: width, plotWidth: plotWidth, plotHeight: plotHeight) {
            right = max(usual, column.width)
            place(plot, colours)
            seriesLabels =
                SeriesLabel.beside(series, width: width, plotWidth: plotWidth, plotHeight: plotHeight)?.labels ?? []
        } else if let labels = SeriesLabel.within(series, plotWidth: plotWidth, plotHeight: plotHeight) {
            seriesLabels = labels
        } else {
            let entries = series.sorted { $0.index < $1.index }.filter { !$0.series.name.isEmpty }.map { drawn in
                let isArea = drawn.series.form == .dots
                let style = isArea ? "solid \(drawn.colour.cssClass)" : drawn.lineStyle
                return Legend.Entry(name: drawn.series.name, colour: drawn.colour, style: style, isArea: isArea)
            }
            legend = Legend(entries, width: width)
        }
    }

    /// Lays the series into the plot as wide as it is now, the emphasised ones last.
    private mutating func place(_ plot: Plot, _ colours: [SeriesColour]) {
        x.start = 0
        x.end = plotWidth
        let anyEmphasised = plot.series.contains(where: \.isEmphasised)
        let drawn = plot.series.enumerated().map { index, series in
            DrawnSeries(
                series,
                index: index,
                colour: colours[index],
                isMuted: anyEmphasised && !series.isEmphasised,
                x: x,
                y: y
            )
        }
        series = drawn.filter { !$0.series.isEmphasised } + drawn.filter(\.series.isEmphasised)
    }

    private mutating func labelReferences(_ plot: Plot) {
        var occupancy = Occupancy(width: plotWidth, height: plotHeight)
        for drawn in series { drawn.occupy(&occupancy) }
        for label in seriesLabels { occupancy.add(label.box) }
        var above: [(text: String, x: Double)] = []
        for reference in plot.references where !reference.label.isEmpty {
            switch reference.position {
            case .x(let value):
                if x.isVisible(value), let place = x.position(value) { above.append((reference.label, place)) }
            case .y(let value):
                guard y.isVisible(value), let place = y.position(value) else { continue }
                add(
                    reference.label,
                    on: [4, 0.25, 0.5, 1].map { Pixel(x: $0 <= 1 ? $0 * plotWidth : $0, y: place) },
                    &occupancy
                )
            case .diagonal:
                guard let (from, to) = diagonal else { continue }
                let places = [0.97, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4].map {
                    Pixel(x: from.x + (to.x - from.x) * $0, y: from.y + (to.y - from.y) * $0)
                }
                add(reference.label, on: places, &occupancy, isSloping: true)
            }
        }
        stack(above)
    }

    /// Puts a label beside the first of the places on its line where it is least in the way.
    private mutating func add(
        _ text: String,
        on places: [Pixel],
        _ occupancy: inout Occupancy,
        isSloping: Bool = false
    ) {
        let size = Drawing.smallFontSize
        let extent = TextWidth.of(text, size: size)
        var best: (box: Box, cost: Int)?
        for place in places {
            let start = isSloping ? place.x - extent - 8 : min(place.x, plotWidth - extent - 4)
            for y in [place.y - size - 5, place.y + 3] {
                let shift = isSloping && y > place.y ? extent + 16 : 0
                let box = Box(x: start + shift, y: y, width: extent, height: size + 2)
                guard box.isInside(width: plotWidth, height: plotHeight) else { continue }
                let cost = occupancy.overlap(box).others
                if cost < best?.cost ?? .max { best = (box, cost) }
            }
        }
        guard let box = best?.box else { return }
        occupancy.add(box)
        referenceLabels.append(ReferenceLabel(text: text, x: box.x, y: box.y + size - 1))
    }

    /// Puts labels above the plot, in as many rows as they need, below the upright axis' title.
    private mutating func stack(_ labels: [(text: String, x: Double)]) {
        var ends: [Double] = []
        for label in labels.enumerated().sorted(by: { ($0.element.x, $0.offset) < ($1.element.x, $1.offset) }) {
            let extent = TextWidth.of(label.element.text, size: Drawing.smallFontSize)
            let start = max(-left, min(label.element.x - extent / 2, plotWidth + right - extent))
            let row = ends.firstIndex { $0 + 10 <= start } ?? ends.count
            if row == ends.count { ends.append(0) }
            ends[row] = start + extent
            let baseline = -10 - Double(row) * 16
            referenceLabels.append(
                ReferenceLabel(text: label.element.text, x: start, y: baseline, foot: label.element.x)
            )
        }
        if !ends.isEmpty { titleBaseline = -14 - Double(ends.count) * 16 }
    }

    private static func across(_ plot: Plot) -> [Double] {
        plot.series.flatMap { $0.points.map(\.x) + $0.band.map(\.x) }
            + plot.references.compactMap { if case .x(let value) = $0.position { value } else { nil } }
    }

    private static func upright(_ plot: Plot) -> [Double] {
        plot.series.flatMap { series in
            series.points.map(\.y) + series.band.flatMap { [$0.low, $0.high] } + (series.isFilled ? [0] : [])
        } + plot.references.compactMap { if case .y(let value) = $0.position { value } else { nil } }
    }
}
