/// Whether a drawing follows the reader's preference for light or dark, or is of one kind.
package enum Theme: Hashable, Sendable {
    case automatic
    case light
    case dark
}

/// The style sheet of charts.
///
/// Colours are written out rather than held in variables, which viewers other than browsers do not know.
enum ChartStyle {
    struct Palette {
        var surface: String
        var text: String
        var muted: String
        var grid: String
        var axis: String
        /// Of lines and areas, in the order of `SeriesColour`.
        var strokes: [String]
        /// Of text in a series' colour, which needs more contrast.
        var inks: [String]
    }

    static let light = Palette(
        surface: "#ffffff",
        text: "#1f2328",
        muted: "#59636e",
        grid: "#e4e8ec",
        axis: "#8c959f",
        strokes: ["#0072b2", "#d55e00", "#009e73", "#b0538c", "#c28a00", "#3a9ad9", "#5b4ba8", "#7a828b"],
        inks: ["#0068a3", "#b34e00", "#00785a", "#a0457d", "#8a6200", "#1f76ae", "#5242a0", "#5f6770"]
    )

    static let dark = Palette(
        surface: "#0d1117",
        text: "#e6edf3",
        muted: "#9da7b1",
        grid: "#232a33",
        axis: "#6e7681",
        strokes: ["#4da3e0", "#ff8b4a", "#2bc296", "#e08fc0", "#e9b44c", "#9bd2f5", "#a99cf0", "#9aa4ae"],
        inks: ["#6db6ea", "#ff9d66", "#45cfa6", "#e8a3cc", "#edc16b", "#a9d9f7", "#b8adf4", "#aab3bc"]
    )

    static func sheet(_ theme: Theme) -> String {
        switch theme {
        case .light: shapes + colours(light)
        case .dark: shapes + colours(dark)
        // Paper is white whatever the reader's screen is.
        case .automatic: shapes + colours(light) + "@media screen and (prefers-color-scheme:dark){\(colours(dark))}\n"
        }
    }

    private static let shapes = """
        .chart{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        .chart text{font-size:13px;font-variant-numeric:tabular-nums}
        .chart .small{font-size:12px}
        .chart .heading{font-size:17px;font-weight:600}
        .chart .name{font-weight:600}
        .chart .halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}
        .chart .grid,.chart .axis,.chart .reference,.chart .leader{fill:none;stroke-width:1}
        .chart .reference{stroke-width:1.25;stroke-dasharray:5 4}
        .chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
        .chart .thin{stroke-width:1.5;opacity:.85}
        .chart .strong{stroke-width:3.5}
        .chart .dashed{stroke-dasharray:7 4}
        .chart .dots{fill:none;stroke-width:4;stroke-linecap:round;opacity:.8}
        .chart .many{stroke-width:3;opacity:.6}
        .chart .area{opacity:.16}
        .chart .pale{opacity:.55}
        .chart .leader{opacity:.6}

        """

    private static func colours(_ palette: Palette) -> String {
        var rules = """
            .chart text{fill:\(palette.text)}
            .chart .muted{fill:\(palette.muted)}
            .chart .surface{fill:\(palette.surface)}
            .chart .halo{stroke:\(palette.surface)}
            .chart .grid{stroke:\(palette.grid)}
            .chart .axis{stroke:\(palette.axis)}
            .chart .reference{stroke:\(palette.muted)}

            """
        for (colour, (stroke, ink)) in zip(SeriesColour.allCases, zip(palette.strokes, palette.inks)) {
            let name = colour.cssClass
            rules += ".chart .\(name){stroke:\(stroke)}.chart .\(name).solid{fill:\(stroke);stroke:none}"
            rules += ".chart .\(name).marker{fill:\(stroke);stroke:\(palette.surface)}"
            rules += ".chart text.\(name){fill:\(ink);stroke:\(palette.surface)}\n"
        }
        return rules
    }
}
