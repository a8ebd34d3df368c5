/// Names of series with a sample of each, in rows above a chart whose lines leave no room for labels.
struct Legend {
    struct Entry {
        var name: String
        var colour: SeriesColour
        /// The classes of the sample.
        var style: String
        /// Whether the sample is a square, as for bars and dots, or a piece of a line.
        var isArea: Bool
    }

    private static let sample = 18.0
    private static let gap = 7.0
    private static let space = 18.0

    private var rows: [[(entry: Entry, x: Double)]] = []

    init(_ entries: [Entry], width: Double) {
        var x = 0.0
        for entry in entries {
            let name = TextWidth.shortened(entry.name, to: width - Self.sample - Self.gap)
            let extent = Self.sample + Self.gap + TextWidth.of(name)
            if rows.isEmpty || x + extent > width {
                rows.append([])
                x = 0
            }
            var shown = entry
            shown.name = name
            rows[rows.count - 1].append((shown, x))
            x += extent + Self.space
        }
    }

    var height: Double { rows.isEmpty ? 0 : Double(rows.count) * 20 + 6 }

    func draw(into markup: inout Markup) {
        for (index, row) in rows.enumerated() {
            let middle = Double(index) * 20 + 10
            for (entry, x) in row {
                if entry.isArea {
                    markup.element(
                        "rect",
                        [
                            "class": entry.style, "x": DecimalText.coordinate(x + 4),
                            "y": DecimalText.coordinate(middle - 5), "width": "10", "height": "10", "rx": "2",
                        ]
                    )
                } else {
                    let path = "M\(DecimalText.coordinate(x)) \(DecimalText.coordinate(middle))h\(Int(Self.sample))"
                    markup.element("path", ["class": entry.style, "d": path])
                }
                markup.label(
                    entry.name,
                    "halo \(entry.colour.cssClass)",
                    x: x + Self.sample + Self.gap,
                    y: middle + 4.5
                )
            }
        }
    }
}

extension Markup {
    enum Anchor: String {
        case start
        case middle
        case end
    }

    /// Adds a line of text whose baseline is at `y`.
    mutating func label(_ text: String, _ style: String, x: Double, y: Double, anchor: Anchor = .start) {
        let place = (DecimalText.coordinate(x), DecimalText.coordinate(y))
        switch (style.isEmpty, anchor) {
        case (true, .start): element("text", ["x": place.0, "y": place.1], text)
        case (false, .start): element("text", ["class": style, "x": place.0, "y": place.1], text)
        case (true, _): element("text", ["x": place.0, "y": place.1, "text-anchor": anchor.rawValue], text)
        case (false, _):
            element("text", ["class": style, "x": place.0, "y": place.1, "text-anchor": anchor.rawValue], text)
        }
    }
}
