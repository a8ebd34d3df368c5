/// A series laid into a plot: its points where they are drawn, and its style.
struct DrawnSeries {
    let series: Series
    let index: Int
    let colour: SeriesColour
    /// Whether another series is emphasised and this one is not.
    let isMuted: Bool
    /// Thinned.
    let points: [Pixel]
    /// The values of `points`, if all of them are drawn and few; otherwise empty.
    let values: [Series.Point]
    let band: [(upper: Pixel, lower: Pixel)]

    private static let largestNumberOfMarkers = 80
    private static let largestNumberOfDots = 2500

    init(_ series: Series, index: Int, colour: SeriesColour, isMuted: Bool, x: AxisScale, y: AxisScale) {
        self.series = series
        self.index = index
        self.colour = colour
        self.isMuted = isMuted
        let width = max(x.start, x.end)
        func pixel(_ point: Series.Point) -> Pixel? {
            guard let left = x.position(point.x), let top = y.position(point.y) else { return nil }
            return Pixel(x: left, y: top)
        }
        var placed: [Pixel] = []
        var kept: [Series.Point] = []
        for point in series.points {
            guard let pixel = pixel(point) else { continue }
            // Dots outside of the axes would only cost space; a line outside still leads to where it is inside.
            if series.form == .dots, !x.isVisible(point.x) || !y.isVisible(point.y) { continue }
            placed.append(pixel)
            if kept.count <= Self.largestNumberOfMarkers { kept.append(point) }
        }
        values = placed.count <= Self.largestNumberOfMarkers ? kept : []
        points =
            series.form == .dots
            ? Thinning.dots(placed, limit: Self.largestNumberOfDots) : Thinning.line(placed, width: width)
        band = series.band.compactMap { interval in
            guard let upper = pixel(Series.Point(interval.x, interval.high)),
                let lower = pixel(Series.Point(interval.x, interval.low))
            else { return nil }
            return (upper, lower)
        }
    }

    /// The classes of its line.
    var lineStyle: String {
        var style = "line \(colour.cssClass)"
        if series.isEmphasised { style += " strong" }
        if isMuted { style += " thin" }
        if index >= SeriesColour.allCases.count / 2, !series.isEmphasised { style += " dashed" }
        return style
    }

    /// The corners of its line.
    var outline: [Pixel] {
        guard series.form == .steps, let first = points.first else { return points }
        var result = [first]
        for (before, point) in zip(points, points.dropFirst()) {
            result.append(Pixel(x: point.x, y: before.y))
            result.append(point)
        }
        return result
    }

    func drawArea(in frame: PlotFrame, into body: inout Markup) {
        if band.count > 1 {
            let corners = band.map(\.upper) + band.reversed().map(\.lower)
            body.element("path", ["class": "area solid \(colour.cssClass)", "d": Self.path(corners) + "Z"])
        }
        if series.isFilled, let first = points.first, let last = points.last {
            let base = DecimalText.coordinate(frame.y.position(0).map { min($0, frame.plotHeight) } ?? frame.plotHeight)
            let path = "M\(DecimalText.coordinate(first.x)) \(base)L" + steps(from: first) + "V\(base)Z"
            body.element("path", ["class": "area solid \(colour.cssClass)", "d": last.x > first.x ? path : "M0 0"])
        }
    }

    func drawLine(into body: inout Markup) {
        guard let first = points.first else { return }
        switch series.form {
        case .line where points.count > 1: body.element("path", ["class": lineStyle, "d": Self.path(points)])
        case .steps where points.count > 1: body.element("path", ["class": lineStyle, "d": "M" + steps(from: first)])
        case .dots:
            let path = points.map { "M\($0.text)h0" }.joined()
            body.element("path", ["class": "dots \(points.count > 300 ? "many " : "")\(colour.cssClass)", "d": path])
        // A line of one point is a dot.
        case .line, .steps: body.element("path", ["class": "dots \(colour.cssClass)", "d": "M\(first.text)h0"])
        }
    }

    /// Dots on a line, each telling its values when it is pointed at.
    func drawMarkers(in frame: PlotFrame, into body: inout Markup) {
        guard series.hasMarkers, !values.isEmpty else { return }
        for (point, value) in zip(points, values) where frame.x.isVisible(value.x) && frame.y.isVisible(value.y) {
            let radius = series.isEmphasised ? "4.5" : "3.5"
            body.element(
                "circle",
                [
                    "class": "marker \(colour.cssClass)", "cx": DecimalText.coordinate(point.x),
                    "cy": DecimalText.coordinate(point.y), "r": radius,
                ]
            ) { body in
                let numbers = "\(frame.x.axis.quantity.text(value.x)), \(frame.y.axis.quantity.text(value.y))"
                body.element("title", [:], series.name.isEmpty ? numbers : "\(series.name): \(numbers)")
            }
        }
    }

    private func steps(from first: Pixel) -> String {
        guard series.form == .steps else { return String(Self.path(points).dropFirst()) }
        return first.text
            + points.dropFirst().map { "H\(DecimalText.coordinate($0.x))V\(DecimalText.coordinate($0.y))" }.joined()
    }

    private static func path(_ points: [Pixel]) -> String {
        "M" + points.map(\.text).joined(separator: "L")
    }
}
