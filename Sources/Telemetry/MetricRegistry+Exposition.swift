extension MetricRegistry {
    /// The media type of `exposition()`.
    package static let expositionContentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics as Prometheus reads them: text exposition format 0.0.4, families sorted by name.
    ///
    /// A histogram is consistent in itself; different series may be some increments apart.
    package func exposition() -> String {
        var text = ""
        for family in snapshot {
            let descriptor = family.descriptor
            text += "# HELP \(descriptor.name) \(Self.escapedHelp(descriptor.help))\n"
            text += "# TYPE \(descriptor.name) \(descriptor.typeName)\n"
            for (values, series) in family.snapshot {
                let labels = zip(descriptor.labels, values).map { "\($0)=\"\(Self.escapedLabelValue($1))\"" }
                switch series {
                case .counter(let counter): Self.write(counter.value, descriptor.name, labels, to: &text)
                case .gauge(let gauge): Self.write(gauge.value, descriptor.name, labels, to: &text)
                case .histogram(let histogram): Self.write(histogram, descriptor.name, labels, to: &text)
                }
            }
        }
        return text
    }

    private static func write(_ histogram: Histogram, _ name: String, _ labels: [String], to text: inout String) {
        let snapshot = histogram.snapshot
        var cumulative = 0
        for (index, count) in snapshot.counts.enumerated() {
            cumulative += count
            let bound = index < histogram.bounds.count ? number(histogram.bounds[index]) : "+Inf"
            write(Double(cumulative), name + "_bucket", labels + ["le=\"\(bound)\""], to: &text)
        }
        write(snapshot.sum, name + "_sum", labels, to: &text)
        write(Double(cumulative), name + "_count", labels, to: &text)
    }

    private static func write(_ value: Double, _ name: String, _ labels: [String], to text: inout String) {
        text += name
        if !labels.isEmpty { text += "{" + labels.joined(separator: ",") + "}" }
        text += " " + number(value) + "\n"
    }

    /// A number in Go's syntax, whole ones without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
        return String(describing: value)
    }

    /// Backslash, double quote and line feed are escaped in label values.
    static func escapedLabelValue(_ value: String) -> String {
        escaped(value, quote: true)
    }

    /// Backslash and line feed are escaped in help texts.
    static func escapedHelp(_ help: String) -> String {
        escaped(help, quote: false)
    }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quote: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
