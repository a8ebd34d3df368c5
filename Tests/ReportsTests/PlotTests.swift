import Testing

@testable import Reports

@Suite("Plots")
struct PlotTests {
    private static func plot(
        _ series: [Series],
        _ references: [ReferenceLine] = [],
        x: Axis.Scale = .linear,
        y: Axis.Scale = .linear
    ) -> Plot {
        Plot(
            "A <title> & more",
            summary: "\"Summary\"",
            x: Axis("x", scale: x),
            y: Axis("y", y == .nines ? .fraction : .seconds, scale: y),
            series: series,
            references: references
        )
    }

    @Test("A tiny chart comes out as it always did")
    func golden() {
        let plot = Plot(
            "Tiny",
            x: Axis("Workers", .count),
            y: Axis("Time", .seconds),
            series: [.line("a", [.init(1, 0), .init(2, 2), .init(3, 1)])],
            references: [.y(1.5, "SLO")]
        )
        #expect(plot.drawing(width: 240).body.text == Self.tiny)
    }

    @Test(
        "Extreme input gives well-formed charts without numbers that are none",
        arguments: Axis.Scale.all,
        Axis.Scale.all
    )
    func extremes(x: Axis.Scale, y: Axis.Scale) {
        let wild: [Double] = [
            .nan, -.infinity, 0, -1, 0.5, .leastNonzeroMagnitude, 1e300, -1e300, .greatestFiniteMagnitude,
        ]
        let points = wild.flatMap { x in wild.map { Series.Point(x, $0) } }
        let lists: [[Series.Point]] = [
            [], [.init(0, 0)], [.init(0.5, 0.5)], [.init(.nan, .infinity)], [.init(1, 0.5), .init(2, 0.5)],
            [.init(1, 0.2), .init(1, 0.5)], points,
        ]
        for list in lists {
            let series: [Series] = [
                .line("line", list, band: list.map { .init($0.x, $0.y, $0.x) }, markers: true),
                .steps("steps", list, filled: true, emphasised: true), .dots("dots", list),
                .cumulative("", list.map(\.x)),
            ]
            let references: [ReferenceLine] = wild.flatMap { [.x($0, "x"), .y($0, "y")] } + [.diagonal("same")]
            for some in [series, [series[1]]] {
                let svg = Self.plot(some, references, x: x, y: y).svg(width: 400)
                #expect(WellFormedness.complaint(about: svg) == nil)
                #expect(!svg.contains("nan") && !svg.contains("inf"))
            }
        }
    }

    @Test("100,000 points make a small chart")
    func thinned() {
        let points = (0..<100_000).map { Series.Point(Double($0), Double($0 * 7919 % 10_007) + 1) }
        for series in [
            Series.line("l", points), .steps("s", points), .dots("d", points), .cumulative("c", points.map(\.y)),
        ] {
            let svg = Self.plot([series], x: .logarithmic).svg()
            #expect(svg.utf8.count < 90_000)
            #expect(WellFormedness.complaint(about: svg) == nil)
        }
    }

    @Test("Lines that end apart are labelled at their ends, dots and bundles get a legend")
    func labels() {
        func frame(_ ends: [Double]) -> PlotFrame {
            let series = ends.map { Series.line("to \($0)", [.init(0, 0), .init(1, $0)]) }
            return PlotFrame(Self.plot(series), width: 720)
        }
        let apart = frame([1, 2, 3])
        #expect(apart.legend == nil)
        #expect(apart.seriesLabels.allSatisfy { $0.x > apart.plotWidth && $0.leader == nil })
        let close = frame([3, 2.99])
        #expect(close.seriesLabels.allSatisfy { $0.leader != nil })
        let bundle = frame((0..<12).map { 3 + Double($0) / 1000 })
        #expect(bundle.legend != nil && bundle.seriesLabels.isEmpty)
        #expect(PlotFrame(Self.plot([.dots("d", [.init(0, 0), .init(1, 1)])]), width: 720).legend != nil)
    }

    @Test("No two labels of reference lines overlap", arguments: [400.0, 720])
    func referenceLabels(width: Double) {
        let references = (0..<6).map { ReferenceLine.x(0.5 + Double($0) / 100, "objective \($0)") }
        let frame = PlotFrame(Self.plot([.line("", [.init(0, 0), .init(1, 1)])], references), width: width)
        let boxes = frame.referenceLabels.map { ($0.x, $0.x + TextWidth.of($0.text, size: 12), $0.y) }
        #expect(boxes.count == 6)
        for (index, one) in boxes.enumerated() {
            #expect(one.0 >= -frame.left && one.1 <= frame.width - frame.left)
            #expect(boxes[..<index].allSatisfy { $0.2 != one.2 || $0.1 < one.0 || one.1 < $0.0 })
        }
    }

    @Test("A cumulative distribution counts what is missing, and drops what is no number")
    func cumulative() {
        let series = Series.cumulative("c", [3, 1, .nan, 2], of: 4)
        #expect(series.points == [.init(1, 0), .init(1, 0.25), .init(2, 0.5), .init(3, 0.75)])
        #expect(Series.cumulative("c", [1, 2]).points.last == .init(2, 1))
    }

    @Test("Colours asked for are kept, and others avoid them")
    func colours() {
        #expect(SeriesColour.assigned(to: [nil, .blue, nil]) == [.vermillion, .blue, .green])
        #expect(Set(SeriesColour.assigned(to: Array(repeating: nil, count: 8))).count == 8)
    }

    @Test("A file carries its style and follows the reader's theme unless told otherwise")
    func themes() {
        let plot = Self.plot([.line("a", [.init(0, 0), .init(1, 1)])])
        #expect(plot.svg().contains("prefers-color-scheme:dark"))
        #expect(!plot.svg(theme: .light).contains("prefers-color-scheme"))
        #expect(plot.svg(theme: .dark).contains(ChartStyle.dark.surface))
        #expect(plot.svg() == plot.svg())
        #expect(plot.svg().contains("<title>A &lt;title&gt; &amp; more</title><desc>&quot;Summary&quot;</desc>"))
    }

    private static let tiny = #"""
        <g transform="translate(30.7 29)">\#
        <path class="grid" d="M0 220h190.9"/>\#
        <text class="muted small" x="-8" y="224" text-anchor="end">0.0</text>\#
        <path class="grid" d="M0 165h190.9"/>\#
        <text class="muted small" x="-8" y="169" text-anchor="end">0.5</text>\#
        <path class="grid" d="M0 110h190.9"/>\#
        <text class="muted small" x="-8" y="114" text-anchor="end">1.0</text>\#
        <path class="grid" d="M0 55h190.9"/>\#
        <text class="muted small" x="-8" y="59" text-anchor="end">1.5</text>\#
        <path class="grid" d="M0 0h190.9"/>\#
        <text class="muted small" x="-8" y="4" text-anchor="end">2.0</text>\#
        <path class="axis" d="M0 220h190.9"/>\#
        <path class="axis" d="M0 220v4"/>\#
        <text class="muted small" x="0" y="238" text-anchor="middle">1</text>\#
        <path class="axis" d="M95.4 220v4"/>\#
        <text class="muted small" x="95.4" y="238" text-anchor="middle">2</text>\#
        <path class="axis" d="M190.9 220v4"/>\#
        <text class="muted small" x="190.9" y="238" text-anchor="middle">3</text>\#
        <text class="muted" x="-30.7" y="-12">Time (s)</text>\#
        <text class="muted" x="95.4" y="258" text-anchor="middle">Workers</text>\#
        <svg x="-3" y="-3" width="196.9" height="226" viewBox="-3 -3 196.9 226">\#
        <path class="reference" d="M0 55h190.9"/>\#
        <path class="line c1" d="M0 220L95.4 0L190.9 110"/></svg>\#
        <text class="muted small halo" x="4" y="49">SLO</text>\#
        <text class="name halo c1" x="198.9" y="114.5">a</text>\#
        </g>
        """#
}

extension Axis.Scale {
    fileprivate static let all: [Axis.Scale] = [.linear, .logarithmic, .nines]
}
