import Testing

@testable import Reports

@Suite("Pages")
struct PageTests {
    private static let evil = "</style></title><script>\"&'"

    private static var page: Page {
        let chart = Plot(
            evil,
            summary: evil,
            x: Axis(evil),
            y: Axis(evil),
            series: [.line(evil, [.init(0, 0), .init(1, 1)], markers: true)],
            references: [.x(0.5, evil), .y(0.5, evil), .diagonal(evil)]
        )
        let bars = BarChart(evil, .unit(evil), measures: [evil], reference: (1, evil), bars: [.init(evil, 1)])
        let table = Table(
            evil,
            columns: [.text(evil), .numbers(evil, .count, best: .smallest), .numbers("b", .fraction, best: .largest)],
            rows: [
                .init([.text(evil), 31, 0.5], emphasised: true), .init(["x", 27, 0.5]), .init(["y", .number(.nan)]),
            ]
        )
        return Page(
            evil,
            subtitle: evil,
            keyFigures: [.init(evil, evil, note: evil)],
            sections: [
                .init(
                    evil,
                    [
                        .text(evil), .list([evil]), .code(evil), .table(table), .figure(chart, caption: evil),
                        .figure(bars, caption: evil),
                    ]
                )
            ],
            command: evil,
            colophon: evil
        )
    }

    @Test("A page is well formed, whatever its texts are, and holds nothing that runs")
    func wellFormed() {
        let html = Self.page.html
        #expect(WellFormedness.complaint(about: html) == nil)
        #expect(!html.contains("<script"))
        #expect(html.hasPrefix("<!DOCTYPE html>"))
    }

    @Test("A page refers to nothing outside of itself")
    func selfContained() {
        let html = Self.page.html
        for reference in ["src=", "href=", "url(", "@import", "http:", "https:"] {
            #expect(!html.contains(reference))
        }
    }

    @Test("The same page gives the same bytes")
    func deterministic() {
        #expect(Self.page.html == Self.page.html)
    }

    @Test("The best number of a column is emphasised, but not where all are alike")
    func best() {
        let html = Self.page.html
        #expect(html.contains("<td class=\"number\"><strong>27</strong></td>"))
        #expect(html.contains("<td class=\"number\">31</td>"))
        #expect(html.contains("<td class=\"number\">50\u{A0}%</td>"))
        #expect(html.contains("<td class=\"number\">–</td>"))
    }

    @Test("An empty page is a page")
    func empty() {
        #expect(WellFormedness.complaint(about: Page("", sections: []).html) == nil)
    }
}
