/// Rows of a page's table: names and numbers, the best number of a column emphasised.
package struct Table: Sendable {
    package struct Column: Hashable, Sendable {
        package enum Best: Hashable, Sendable {
            case smallest
            case largest
        }

        package var title: String
        /// How its numbers are written; nil for a column of text.
        package var quantity: Quantity?
        /// Which of its numbers is the best; nil where none is.
        package var best: Best?

        package static func text(_ title: String) -> Column {
            Column(title: title, quantity: nil, best: nil)
        }

        package static func numbers(_ title: String, _ quantity: Quantity, best: Best? = nil) -> Column {
            Column(title: title, quantity: quantity, best: best)
        }
    }

    package enum Cell: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByFloatLiteral,
        ExpressibleByIntegerLiteral
    {
        case text(String)
        /// A number that is not finite is shown as missing and is never the best.
        case number(Double)

        package init(stringLiteral value: String) { self = .text(value) }
        package init(floatLiteral value: Double) { self = .number(value) }
        package init(integerLiteral value: Int) { self = .number(Double(value)) }
    }

    package struct Row: Hashable, Sendable {
        package var cells: [Cell]
        /// Whether the whole row stands out.
        package var isEmphasised: Bool

        package init(_ cells: [Cell], emphasised: Bool = false) {
            self.cells = cells
            isEmphasised = emphasised
        }
    }

    package var caption: String
    package var columns: [Column]
    package var rows: [Row]

    package init(_ caption: String = "", columns: [Column], rows: [Row]) {
        self.caption = caption
        self.columns = columns
        self.rows = rows
    }

    /// The number that is best in each column; nil where all are alike.
    private var best: [Double?] {
        columns.indices.map { column in
            let numbers = rows.compactMap { row -> Double? in
                guard column < row.cells.count, case .number(let value) = row.cells[column], value.isFinite else {
                    return nil
                }
                return value
            }
            guard let low = numbers.min(), let high = numbers.max(), low < high else { return nil }
            return columns[column].best.map { $0 == .smallest ? low : high }
        }
    }

    func draw(into page: inout Markup) {
        let best = best
        page.element("div", ["class": "scroll"]) { page in
            page.element("table") { page in
                if !caption.isEmpty { page.element("caption", [:], caption) }
                page.element("thead") { page in
                    page.element("tr") { page in
                        for column in columns {
                            let style = column.quantity == nil ? "text" : "number"
                            page.element("th", ["scope": "col", "class": style], column.title)
                        }
                    }
                }
                page.element("tbody") { page in
                    for row in rows {
                        page.newline()
                        draw(row, best: best, into: &page)
                    }
                }
            }
        }
    }

    private func draw(_ row: Row, best: [Double?], into page: inout Markup) {
        page.element("tr", row.isEmphasised ? ["class": "emphasised"] : [:]) { page in
            for (index, column) in columns.enumerated() {
                let cell = index < row.cells.count ? row.cells[index] : .number(.nan)
                page.element("td", ["class": column.quantity == nil ? "text" : "number"]) { page in
                    switch cell {
                    case .text(let text): page.content(text)
                    case .number(let value):
                        let text = (column.quantity ?? .number).text(value)
                        if let best = best[index], value == best {
                            page.element("strong", [:], text)
                        } else {
                            page.content(value.isFinite ? text : DecimalText.missing)
                        }
                    }
                }
            }
        }
    }
}
