/// A report as one HTML file that needs nothing else: prose, key figures, tables and charts.
package struct Page: Sendable {
    /// A number that the reader should take away: `27`, `workers`, and what it is compared with.
    package struct KeyFigure: Hashable, Sendable {
        package var value: String
        package var label: String
        package var note: String

        package init(_ value: String, _ label: String, note: String = "") {
            self.value = value
            self.label = label
            self.note = note
        }
    }

    package enum Block: Sendable {
        /// A paragraph.
        case text(String)
        case list([String])
        case table(Table)
        /// A chart under its title, with a caption below; the caption may be empty.
        case figure(any Chart, caption: String)
        /// Text of a fixed width: a command, a file.
        case code(String)
    }

    package struct Section: Sendable {
        package var title: String
        package var blocks: [Block]

        package init(_ title: String, _ blocks: [Block]) {
            self.title = title
            self.blocks = blocks
        }
    }

    package var title: String
    package var subtitle: String
    package var keyFigures: [KeyFigure]
    package var sections: [Section]
    /// The command that made the report, for its footer.
    package var command: String
    /// What else the footer says: the program's version, the trace's digest.
    package var colophon: String

    package init(
        _ title: String,
        subtitle: String = "",
        keyFigures: [KeyFigure] = [],
        sections: [Section],
        command: String = "",
        colophon: String = ""
    ) {
        self.title = title
        self.subtitle = subtitle
        self.keyFigures = keyFigures
        self.sections = sections
        self.command = command
        self.colophon = colophon
    }

    /// The file's text; the same page gives the same bytes.
    package var html: String {
        var page = Markup()
        page.verbatim("<!DOCTYPE html>\n")
        page.element("html", ["lang": "en"]) { page in
            page.newline()
            page.element("head") { page in
                page.verbatim("<meta charset=\"utf-8\"/>\n")
                page.element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
                page.element("meta", ["name": "color-scheme", "content": "light dark"])
                page.element("title", [:], title)
                // Neither sheet contains anything that could end the element; HTML does not unescape here.
                page.verbatim("<style>\n" + PageStyle.sheet + ChartStyle.sheet(.automatic) + "</style>")
            }
            page.newline()
            page.element("body") { page in
                page.element("main") { page in
                    drawHeader(into: &page)
                    for section in sections { draw(section, into: &page) }
                    drawFooter(into: &page)
                }
            }
        }
        page.newline()
        return page.text
    }

    private func drawHeader(into page: inout Markup) {
        page.element("header") { page in
            page.element("h1", [:], title)
            if !subtitle.isEmpty { page.element("p", ["class": "subtitle"], subtitle) }
        }
        page.newline()
        guard !keyFigures.isEmpty else { return }
        page.element("ul", ["class": "figures"]) { page in
            for figure in keyFigures {
                page.element("li") { page in
                    page.element("b", [:], figure.value)
                    page.content(" ")
                    page.element("span", [:], figure.label)
                    if !figure.note.isEmpty {
                        page.content(" ")
                        page.element("small", [:], figure.note)
                    }
                }
            }
        }
        page.newline()
    }

    private func draw(_ section: Section, into page: inout Markup) {
        page.element("section") { page in
            if !section.title.isEmpty { page.element("h2", [:], section.title) }
            for block in section.blocks {
                page.newline()
                draw(block, into: &page)
            }
        }
        page.newline()
    }

    private func draw(_ block: Block, into page: inout Markup) {
        switch block {
        case .text(let text): page.element("p", [:], text)
        case .list(let items):
            page.element("ul") { page in
                for item in items { page.element("li", [:], item) }
            }
        case .table(let table): table.draw(into: &page)
        case .code(let text): page.element("pre", [:], text)
        case .figure(let chart, let caption):
            page.element("figure") { page in
                if !chart.title.isEmpty { page.element("h3", [:], chart.title) }
                // Twice, as the text of a wide chart could not be read on a phone. The style sheet shows one of them.
                page.verbatim(chart.inlineSVG(width: 740, cssClass: "wide"))
                page.newline()
                page.verbatim(chart.inlineSVG(width: 380, cssClass: "narrow"))
                if !caption.isEmpty { page.element("figcaption", [:], caption) }
            }
        }
    }

    private func drawFooter(into page: inout Markup) {
        guard !command.isEmpty || !colophon.isEmpty else { return }
        page.element("footer") { page in
            if !command.isEmpty {
                page.element("p", [:], "Made by")
                page.element("pre", [:], command)
            }
            if !colophon.isEmpty { page.element("p", [:], colophon) }
        }
    }
}
