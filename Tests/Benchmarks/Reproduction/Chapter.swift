internal import Foundation
internal import Reports

/// A part of the document in the making: Markdown, and the pictures that it shows.
struct Chapter: Sendable {
    private(set) var markdown = ""
    /// SVG files by name, for docs/pictures.
    private(set) var pictures: [(name: String, svg: String)] = []

    init(_ title: String) {
        markdown = "## \(title)\n\n"
    }

    mutating func heading(_ title: String) {
        markdown += "### \(title)\n\n"
    }

    /// A paragraph; line breaks in it are those of the source.
    mutating func text(_ paragraph: String) {
        markdown += paragraph + "\n\n"
    }

    mutating func list(_ items: [String]) {
        markdown += items.map { "- \($0)\n" }.joined() + "\n"
    }

    /// What makes the tables above, and from which seeds.
    ///
    /// - Parameter used: nil for all of the findings' seeds.
    mutating func provenance<Finding>(_ findings: Findings<Finding>, seeds used: [UInt64]? = nil) {
        let numbers = used ?? findings.seeds
        let seeds = numbers.map(String.init).joined(separator: ", ")
        let many = numbers.count > 1 ? "seeds \(seeds)" : "seed \(seeds)"
        markdown += "Made by `\(findings.command)`, \(many).\n\n"
    }

    mutating func commands(_ lines: [String]) {
        markdown += "```sh\n" + lines.joined(separator: "\n") + "\n```\n\n"
    }

    /// A table; the first column is text, the others are numbers.
    ///
    /// - Parameter best: whether the least or the largest number of a column is set in bold.
    mutating func table(_ header: [String], _ rows: [[Cell]], best: Best = .none) {
        guard !rows.isEmpty else { return }
        let strongest = header.indices.map { column -> Double? in
            let numbers = rows.compactMap { column < $0.count && $0[column].competes ? $0[column].number : nil }
            guard let low = numbers.min(), let high = numbers.max(), low < high else { return nil }
            switch best {
            case .none: return nil
            case .least: return low
            case .largest: return high
            }
        }
        markdown += "| " + header.joined(separator: " | ") + " |\n"
        markdown += "|---|" + String(repeating: "--:|", count: header.count - 1) + "\n"
        for row in rows {
            let cells = zip(row, strongest).map { cell, strong in
                cell.competes && cell.number != nil && cell.number == strong ? "**\(cell.text)**" : cell.text
            }
            markdown += "| " + cells.joined(separator: " | ") + " |\n"
        }
        markdown += "\n"
    }

    mutating func picture(_ name: String, _ chart: any Chart, caption: String) {
        pictures.append((name + ".svg", chart.svg()))
        markdown += "![\(chart.title)](pictures/\(name).svg)\n\n*\(caption)*\n\n"
    }

    enum Best {
        case none
        case least
        case largest
    }
}

/// A table's cell: its text, and its number if it can be compared.
struct Cell: Sendable, ExpressibleByStringLiteral {
    let text: String
    let number: Double?
    /// Whether it may be the best of its column: bounds may not.
    private(set) var competes = true

    init(stringLiteral value: String) {
        self.init(value)
    }

    init(_ text: String, _ number: Double? = nil) {
        self.text = text
        self.number = number
    }

    static func count(_ value: Int?) -> Cell {
        Cell(value.map(String.init) ?? DecimalText.missing, value.map(Double.init))
    }

    static func number(_ value: Double?, decimals: Int = 1) -> Cell {
        Cell(value.map { DecimalText.fixed($0, decimals: decimals) } ?? DecimalText.missing, value)
    }

    /// A share in per cent.
    static func share(_ value: Double?, decimals: Int = 1) -> Cell {
        Cell(value.map { DecimalText.fixed($0 * 100, decimals: decimals) + " %" } ?? DecimalText.missing, value)
    }

    /// A relative difference, with its sign.
    static func difference(_ value: Double?) -> Cell {
        guard let value else { return Cell(DecimalText.missing) }
        return Cell((value > 0 ? "+" : "") + DecimalText.fixed(value * 100, decimals: 0) + " %", value)
    }

    /// The same, never the best of its column.
    var asBound: Cell {
        var cell = self
        cell.competes = false
        return cell
    }
}
