/// A chart over two axes: lines, steps, distributions and scattered dots, with the objectives drawn in.
package struct Plot: Chart {
    package var title: String
    package var summary: String
    package var x: Axis
    package var y: Axis
    package var series: [Series]
    package var references: [ReferenceLine]

    package init(
        _ title: String,
        summary: String = "",
        x: Axis,
        y: Axis,
        series: [Series],
        references: [ReferenceLine] = []
    ) {
        self.title = title
        self.summary = summary
        self.x = x
        self.y = y
        self.series = series
        self.references = references
    }

    package func drawing(width: Double) -> Drawing {
        let frame = PlotFrame(self, width: max(width, 240))
        var body = Markup()
        if let legend = frame.legend { legend.draw(into: &body) }
        let origin = DecimalText.coordinate(frame.left) + " " + DecimalText.coordinate(frame.top)
        body.element("g", ["transform": "translate(\(origin))"]) { body in
            drawAxes(in: frame, into: &body)
            drawClipped(in: frame, into: &body)
            drawMarkers(in: frame, into: &body)
            drawLabels(in: frame, into: &body)
        }
        return Drawing(width: frame.width, height: frame.height, body: body)
    }

    /// Grid, ticks and titles.
    private func drawAxes(in frame: PlotFrame, into body: inout Markup) {
        let (width, height) = (frame.plotWidth, frame.plotHeight)
        for tick in frame.y.ticks.ticks {
            guard let y = frame.y.position(tick.value) else { continue }
            body.element(
                "path",
                ["class": "grid", "d": "M0 \(DecimalText.coordinate(y))h\(DecimalText.coordinate(width))"]
            )
            body.label(tick.label, "muted small", x: -8, y: y + 4, anchor: .end)
        }
        body.element(
            "path",
            ["class": "axis", "d": "M0 \(DecimalText.coordinate(height))h\(DecimalText.coordinate(width))"]
        )
        for tick in frame.x.ticks.ticks {
            guard let x = frame.x.position(tick.value) else { continue }
            body.element("path", ["class": "axis", "d": "M\(Pixel(x: x, y: height).text)v4"])
            body.label(tick.label, "muted small", x: x, y: height + 18, anchor: .middle)
        }
        let room = frame.width
        body.label(TextWidth.shortened(frame.y.title, to: room), "muted", x: -frame.left, y: frame.titleBaseline)
        let title = TextWidth.shortened(frame.x.title, to: room)
        let half = TextWidth.of(title) / 2
        let middle = min(max(width / 2, half - frame.left), frame.width - frame.left - half)
        body.label(title, "muted", x: middle, y: height + 38, anchor: .middle)
    }

    /// What may reach beyond the axes and is cut off there: areas, lines, reference lines.
    private func drawClipped(in frame: PlotFrame, into body: inout Markup) {
        // A nested svg clips without an id, which would have to be unique on the page. A margin keeps strokes whole.
        let margin = 3.0
        let (width, height) = (frame.plotWidth + 2 * margin, frame.plotHeight + 2 * margin)
        let size = (DecimalText.coordinate(width), DecimalText.coordinate(height))
        body.element(
            "svg",
            ["x": "-3", "y": "-3", "width": size.0, "height": size.1, "viewBox": "-3 -3 \(size.0) \(size.1)"]
        ) { body in
            for drawn in frame.series { drawn.drawArea(in: frame, into: &body) }
            // Above dots, which would cover them, and below lines, which they would cut.
            for drawn in frame.series where drawn.series.form == .dots { drawn.drawLine(into: &body) }
            for reference in references { draw(reference, in: frame, into: &body) }
            for drawn in frame.series where drawn.series.form != .dots { drawn.drawLine(into: &body) }
        }
    }

    private func draw(_ reference: ReferenceLine, in frame: PlotFrame, into body: inout Markup) {
        switch reference.position {
        case .x(let value):
            guard frame.x.isVisible(value), let x = frame.x.position(value) else { return }
            body.element(
                "path",
                ["class": "reference", "d": "M\(Pixel(x: x, y: -3).text)V\(DecimalText.coordinate(frame.plotHeight))"]
            )
        case .y(let value):
            guard frame.y.isVisible(value), let y = frame.y.position(value) else { return }
            body.element(
                "path",
                ["class": "reference", "d": "M\(Pixel(x: 0, y: y).text)h\(DecimalText.coordinate(frame.plotWidth))"]
            )
        case .diagonal:
            guard let (from, to) = frame.diagonal else { return }
            body.element("path", ["class": "reference", "d": "M\(from.text)L\(to.text)"])
        }
    }

    private func drawMarkers(in frame: PlotFrame, into body: inout Markup) {
        for drawn in frame.series { drawn.drawMarkers(in: frame, into: &body) }
    }

    private func drawLabels(in frame: PlotFrame, into body: inout Markup) {
        for label in frame.referenceLabels {
            if let foot = label.foot {
                body.element("path", ["class": "reference", "d": "M\(Pixel(x: foot, y: label.y + 4).text)V-3"])
            }
            body.label(label.text, "muted small halo", x: label.x, y: label.y)
        }
        for label in frame.seriesLabels {
            if let end = label.leader {
                let path = "M\(end.text)L\(Pixel(x: label.x - 3, y: label.y - 4.5).text)"
                body.element("path", ["class": "leader \(label.colour.cssClass)", "d": path])
            }
            body.label(label.text, "name halo \(label.colour.cssClass)", x: label.x, y: label.y)
        }
    }
}
