/// A drawing of boxes, arrows and words that is no chart, in the colours of the reports' charts.
struct Sketch {
    enum Tone: String, CaseIterable {
        case plain
        case blue
        case vermillion
        case green
        case grey
    }

    let title: String
    let summary: String
    let width: Double
    let height: Double
    private var body = ""

    init(_ title: String, summary: String, width: Double, height: Double) {
        self.title = title
        self.summary = summary
        self.width = width
        self.height = height
    }

    /// A filled rectangle without a border: a length of time.
    mutating func bar(x: Double, y: Double, width: Double, height: Double, _ tone: Tone) {
        body += "<rect class=\"bar \(tone.rawValue)\" \(Self.frame(x, y, width, height))/>\n"
    }

    /// A box with lines of text in it, the first of them strong.
    mutating func box(x: Double, y: Double, width: Double, height: Double, _ lines: [String], _ tone: Tone = .plain) {
        body += "<rect class=\"box \(tone.rawValue)\" \(Self.frame(x, y, width, height)) rx=\"6\"/>\n"
        let top = y + height / 2 - Double(lines.count - 1) * 9 + 4.5
        for (number, line) in lines.enumerated() {
            let style = number == 0 ? "strong" : "small muted"
            text(line, x: x + width / 2, y: top + Double(number) * 18, style, anchor: "middle")
        }
    }

    mutating func text(_ text: String, x: Double, y: Double, _ style: String = "", anchor: String = "start") {
        body +=
            "<text class=\"\(style)\" x=\"\(Self.digits(x))\" y=\"\(Self.digits(y))\" text-anchor=\"\(anchor)\">"
            + Self.escaped(text) + "</text>\n"
    }

    /// A line through points; `arrow` puts a head at its end, which must be level or upright.
    mutating func line(_ points: [(x: Double, y: Double)], _ style: String = "line", arrow: Bool = false) {
        guard let last = points.last else { return }
        let corners = points.map { "\(Self.digits($0.x)) \(Self.digits($0.y))" }
        body += "<path class=\"\(style)\" d=\"M\(corners.joined(separator: "L"))\"/>\n"
        guard arrow, points.count > 1 else { return }
        let before = points[points.count - 2]
        let (right, down) = (Self.sign(last.x - before.x), Self.sign(last.y - before.y))
        let (tip, wing) = (7.0, 4.0)
        let corner1 = (last.x - right * tip - down * wing, last.y - down * tip - right * wing)
        let corner2 = (last.x - right * tip + down * wing, last.y - down * tip + right * wing)
        let head = [(last.x, last.y), corner1, corner2].map { "\(Self.digits($0.0)) \(Self.digits($0.1))" }
        body += "<path class=\"head\" d=\"M\(head.joined(separator: "L"))Z\"/>\n"
    }

    /// A stand-alone file that follows the reader's preference for light or dark.
    func svg() -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" class="sketch" width="\(Self.digits(width))" \
        height="\(Self.digits(height))" viewBox="0 0 \(Self.digits(width)) \(Self.digits(height))" role="img">
        <title>\(Self.escaped(title))</title>
        <desc>\(Self.escaped(summary))</desc>
        <style>\(Self.shapes)\(Self.light)@media screen and (prefers-color-scheme:dark){\(Self.dark)}</style>
        <rect class="surface" width="100%" height="100%" rx="6"/>
        <text class="heading" x="16" y="32">\(Self.escaped(title))</text>
        \(body)</svg>

        """
    }

    private static let shapes = """
        .sketch{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        .sketch text{font-size:13px}.sketch .small{font-size:12px}.sketch .strong{font-weight:600}
        .sketch .heading{font-size:17px;font-weight:600}
        .sketch .line,.sketch .tick{fill:none;stroke-width:1.5}.sketch .tick{stroke-width:1}
        .sketch .box{stroke-width:1.5}

        """

    private static let light = rules(
        surface: "#ffffff",
        text: "#1f2328",
        muted: "#59636e",
        rule: "#8c959f",
        tones: ["#f6f8fa", "#0072b2", "#d55e00", "#009e73", "#c3cad1"],
        fills: ["#f6f8fa", "#dcebf5", "#fbe5d8", "#d8f0e8", "#eceff2"]
    )
    private static let dark = rules(
        surface: "#0d1117",
        text: "#e6edf3",
        muted: "#9da7b1",
        rule: "#6e7681",
        tones: ["#161b22", "#4da3e0", "#ff8b4a", "#2bc296", "#444c56"],
        fills: ["#161b22", "#15304a", "#46271a", "#123a30", "#262c34"]
    )

    private static func rules(
        surface: String,
        text: String,
        muted: String,
        rule: String,
        tones: [String],
        fills: [String]
    ) -> String {
        var rules = """
            .sketch text{fill:\(text)}.sketch .muted{fill:\(muted)}.sketch .surface{fill:\(surface)}
            .sketch .line,.sketch .tick{stroke:\(rule)}.sketch .head{fill:\(rule)}

            """
        for (tone, (colour, fill)) in zip(Tone.allCases, zip(tones, fills)) {
            let edge = tone == .plain ? rule : colour
            rules += ".sketch .bar.\(tone.rawValue){fill:\(colour)}"
            rules += ".sketch .box.\(tone.rawValue){fill:\(fill);stroke:\(edge)}\n"
        }
        return rules
    }

    private static func frame(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> String {
        "x=\"\(digits(x))\" y=\"\(digits(y))\" width=\"\(digits(width))\" height=\"\(digits(height))\""
    }

    private static func sign(_ value: Double) -> Double {
        value == 0 ? 0 : value > 0 ? 1 : -1
    }

    /// A coordinate to a tenth.
    private static func digits(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let whole = "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10)"
        return tenths % 10 == 0 ? whole : whole + ".\(tenths.magnitude % 10)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
