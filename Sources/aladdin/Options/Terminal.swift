internal import Foundation
internal import ServingModel

/// Standard output for answers, standard error for everything else.
enum Terminal {
    static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data("aladdin: \(text)\n".utf8))
    }

    /// Replaces the progress line; nothing unless standard error is a terminal.
    static func progress(_ text: String) {
        guard isatty(2) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    static func json(_ object: Any) throws -> String {
        let data = try JSONSerialization.data(
            withJSONObject: object,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        )
        return String(decoding: data, as: UTF8.self)
    }

    /// One line, for what is sent rather than read.
    static func compactJSON(_ object: Any) throws(Status) -> String {
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]) else {
            throw Status(.internalError, .none, "The answer can't be written as JSON.")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Columns padded to their widest cell; numbers, signed ones too, to the right.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                let isNumber = cell.first { $0 != "-" && $0 != "+" }?.isNumber ?? false
                return isNumber ? padding + cell : cell + padding
            }
            return cells.joined(separator: "  ").trimmingSuffix()
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func trimmingSuffix() -> String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
