/// The metrics of several services of a kind as those of one, told apart by a label.
package enum MergedExposition {
    /// - Parameters:
    ///   - parts: texts in Prometheus' format, and what their series are labelled with.
    ///   - label: the label's name; no series has it yet.
    /// - Returns: each family once, in the order in which they first appear, with its help and type.
    package static func text(of parts: [(label: String, text: String)], label: String) -> String {
        var families: [Substring: (head: [Substring], series: [String])] = [:]
        var order: [Substring] = []
        for (value, text) in parts {
            let pair = "\(label)=\"\(MetricRegistry.escapedLabelValue(value))\""
            var family: Substring = ""
            for line in text.split(separator: "\n") {
                if line.hasPrefix("# ") {
                    let words = line.split(separator: " ", maxSplits: 3)
                    guard words.count > 2 else { continue }
                    family = words[2]
                    if families[family] == nil {
                        families[family] = ([], [])
                        order.append(family)
                    }
                    if families[family]?.head.contains(line) == false { families[family]?.head.append(line) }
                } else {
                    families[family]?.series.append(labelled(line, pair))
                }
            }
        }
        var lines: [String] = []
        for family in order {
            guard let (head, series) = families[family] else { continue }
            lines += head.map(String.init) + series
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// `name 1` and `name{a="b"} 1` with one more label, in front.
    private static func labelled(_ series: Substring, _ pair: String) -> String {
        guard let end = series.firstIndex(where: { $0 == "{" || $0 == " " }) else { return String(series) }
        return series[end] == "{"
            ? "\(series[..<end]){\(pair),\(series[series.index(after: end)...])"
            : "\(series[..<end]){\(pair)}\(series[end...])"
    }
}
