/// Points that belong together, with a name and a form.
package struct Series: Sendable {
    package struct Point: Hashable, Sendable {
        package var x: Double
        package var y: Double

        package init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// From where to where the truth may lie, at one `x`.
    package struct Interval: Hashable, Sendable {
        package var x: Double
        package var low: Double
        package var high: Double

        package init(_ x: Double, _ low: Double, _ high: Double) {
            self.x = x
            self.low = low
            self.high = high
        }
    }

    package enum Form: Hashable, Sendable {
        case line
        /// A value holds until the next one.
        case steps
        case dots
    }

    package var name: String
    /// In the order in which they are joined; those that are not finite are left out.
    package var points: [Point]
    package var form: Form
    /// A band around the line: a confidence interval, or the span of several seeds.
    package var band: [Interval] = []
    /// Whether each point of a line is marked.
    package var hasMarkers = false
    /// Whether the area down to zero is filled: GPU-hours under a number of GPUs.
    package var isFilled = false
    /// Draws this series strongly and those that are not emphasised thinly.
    package var isEmphasised = false
    /// nil for the next colour that nobody asked for.
    package var colour: SeriesColour?

    package init(_ name: String, _ form: Form, _ points: [Point]) {
        self.name = name
        self.form = form
        self.points = points
    }

    package static func line(
        _ name: String,
        _ points: [Point],
        band: [Interval] = [],
        markers: Bool = false,
        emphasised: Bool = false,
        colour: SeriesColour? = nil
    ) -> Series {
        var series = Series(name, .line, points)
        series.band = band
        series.hasMarkers = markers
        series.isEmphasised = emphasised
        series.colour = colour
        return series
    }

    package static func steps(
        _ name: String,
        _ points: [Point],
        filled: Bool = false,
        emphasised: Bool = false,
        colour: SeriesColour? = nil
    ) -> Series {
        var series = Series(name, .steps, points)
        series.isFilled = filled
        series.isEmphasised = emphasised
        series.colour = colour
        return series
    }

    package static func dots(_ name: String, _ points: [Point], colour: SeriesColour? = nil) -> Series {
        var series = Series(name, .dots, points)
        series.colour = colour
        return series
    }

    /// The share of the samples that are at most x, as steps from 0 to 1.
    ///
    /// - Parameter total: What the shares are of, where some samples are missing (queries that were never answered);
    ///   the curve then ends below one.
    package static func cumulative(
        _ name: String,
        _ samples: [Double],
        of total: Int? = nil,
        emphasised: Bool = false,
        colour: SeriesColour? = nil
    ) -> Series {
        let sorted = samples.filter(\.isFinite).sorted()
        let count = Double(max(total ?? sorted.count, sorted.count))
        var points = sorted.enumerated().map { Point($1, Double($0 + 1) / count) }
        if let first = sorted.first { points.insert(Point(first, 0), at: 0) }
        return steps(name, points, emphasised: emphasised, colour: colour)
    }
}
