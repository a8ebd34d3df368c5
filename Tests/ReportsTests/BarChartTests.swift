import Testing

@testable import Reports

@Suite("Bar charts")
struct BarChartTests {
    @Test("Bars are sorted by their first value, missing ones last, and carry their values")
    func sorted() throws {
        let chart = BarChart(
            "Cost",
            .money("$"),
            bars: [.init("b", 2), .init("none", .nan), .init("a", 1, emphasised: true)]
        )
        let text = chart.svg()
        let places = try ["$1.00", "$2.00", DecimalText.missing].map { label in
            try #require(text.range(of: ">\(label)<"))
        }
        #expect(places == places.sorted())
        #expect(WellFormedness.complaint(about: text) == nil)
    }

    @Test("Lengths are proportional to values, and zero is common")
    func proportional() {
        let text = BarChart("Cost", .number, bars: [.init("a", 1), .init("b", 2), .init("c", -1)]).drawing(width: 500)
            .body.text
        let widths = text.numbers(after: " width=\"")
        #expect(widths.count == 3)
        #expect((widths[1] - widths[0]).magnitude < 0.2 && (widths[2] - 2 * widths[1]).magnitude < 0.3)
    }

    @Test(
        "Extreme input gives well-formed charts",
        arguments: [
            [], [0], [.nan], [.infinity, 1], [-1, -2], [1e300, -1e300],
            [.greatestFiniteMagnitude, .leastNonzeroMagnitude],
        ] as [[Double]]
    )
    func extremes(values: [Double]) {
        for names in ["n", "a name much too long for the column at the left of a chart"] {
            let bars = values.map { BarChart.Bar(names, [$0, 1]) } + [.init("nothing", [])]
            let chart = BarChart("", .seconds, measures: ["one", "other"], reference: (1, "bound"), bars: bars)
            for width in [100.0, 380, 720] {
                let svg = chart.svg(width: width)
                #expect(WellFormedness.complaint(about: svg) == nil)
                #expect(!svg.contains("nan") && !svg.contains("inf"))
            }
        }
        #expect(WellFormedness.complaint(about: BarChart("", .number, bars: []).svg()) == nil)
    }
}

extension String {
    /// Where `part` begins, in characters; nil where it does not occur.
    fileprivate func range(of part: String) -> Int? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(part) { return distance(from: startIndex, to: rest.startIndex) }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// The numbers that follow each occurrence of `prefix`.
    fileprivate func numbers(after prefix: String) -> [Double] {
        var result: [Double] = []
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(prefix) {
                let digits = rest.dropFirst(prefix.count).prefix { $0.isNumber || $0 == "." }
                if let number = Double(digits) { result.append(number) }
            }
            rest = rest.dropFirst()
        }
        return result
    }
}
