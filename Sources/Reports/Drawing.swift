/// The body of a chart with its size, ready to be put into an `svg` element.
package struct Drawing {
    static let fontSize = 13.0
    static let smallFontSize = 12.0
    static let lineHeight = 17.0

    let width: Double
    let height: Double
    let body: Markup
}

/// Something that can be drawn at any width.
package protocol Chart: Sendable {
    /// What the chart shows, in a few words: its heading and its accessible name.
    var title: String { get }
    /// What is to be seen in it, for those who cannot see it.
    var summary: String { get }

    func drawing(width: Double) -> Drawing
}

extension Chart {
    /// A stand-alone SVG file, `width` units wide, for documents: title, style and background included.
    package func svg(width: Double = 760, theme: Theme = .automatic) -> String {
        let margin = 16.0
        let drawing = drawing(width: width - 2 * margin)
        let heading = title.isEmpty ? 0 : 30.0
        let full = (width: drawing.width + 2 * margin, height: drawing.height + heading + 2 * margin)
        var markup = Markup()
        open(&markup, width: full.width, height: full.height, isFile: true) { markup in
            markup.element("style") { $0.content(ChartStyle.sheet(theme)) }
            markup.newline()
            markup.element("rect", ["class": "surface", "width": "100%", "height": "100%", "rx": "6"])
            if !title.isEmpty {
                let shown = TextWidth.shortened(title, to: drawing.width, size: 17)
                markup.element("text", ["class": "heading", "x": "16", "y": "32"], shown)
            }
            let shift = "translate(16 \(DecimalText.coordinate(margin + heading)))"
            markup.element("g", ["transform": shift]) { $0.verbatim(drawing.body.text) }
        }
        markup.newline()
        return markup.text
    }

    /// An `svg` element for a page that has `ChartStyle.sheet` among its styles.
    func inlineSVG(width: Double, cssClass: String) -> String {
        let drawing = drawing(width: width)
        var markup = Markup()
        open(&markup, width: drawing.width, height: drawing.height, cssClass: cssClass) {
            $0.verbatim(drawing.body.text)
        }
        return markup.text
    }

    private func open(
        _ markup: inout Markup,
        width: Double,
        height: Double,
        isFile: Bool = false,
        cssClass: String = "",
        around body: (inout Markup) -> Void
    ) {
        let (wide, high) = (DecimalText.coordinate(width), DecimalText.coordinate(height))
        let kind = cssClass.isEmpty ? "chart" : "chart " + cssClass
        let box = "0 0 \(wide) \(high)"
        let attributes: Markup.Attributes =
            isFile
            ? [
                "xmlns": "http://www.w3.org/2000/svg", "class": kind, "width": wide, "height": high, "viewBox": box,
                "role": "img",
            ]
            : ["class": kind, "viewBox": box, "role": "img"]
        markup.element("svg", attributes) { markup in
            // The first child is the accessible name; no ids, which would clash on a page of several charts.
            if !title.isEmpty { markup.element("title", [:], title) }
            if !summary.isEmpty { markup.element("desc", [:], summary) }
            body(&markup)
        }
    }
}
