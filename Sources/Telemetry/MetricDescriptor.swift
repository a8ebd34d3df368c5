/// A metric's name, meaning and shape, declared once in `MetricCatalogue`.
package struct MetricDescriptor: Hashable, Sendable {
    /// What kind of number it is.
    package enum Kind: Hashable, Sendable {
        /// Only grows.
        case counter
        /// Goes up and down.
        case gauge
        /// Counts observations up to each of these bounds, which rise; the last bucket, `+Inf`, is implied.
        case histogram(bounds: [Double])
    }

    /// `aladdin_<subsystem>_<thing>_<unit>`; counters end in `_total`.
    package var name: String
    package var help: String
    package var kind: Kind
    /// Names of the labels, in the order in which their values are given.
    package var labels: [String]
    /// Different label values kept apart at most; what comes later is counted under `other`.
    package var maximumSeries: Int

    /// Describes a metric.
    ///
    /// - Precondition: names are valid in Prometheus' grammar, counters end in `_total`, bounds are finite and rise.
    package init(_ name: String, _ kind: Kind, help: String, labels: [String] = [], maximumSeries: Int = 200) {
        precondition(Self.isValidName(name), "\(name) is no metric name")
        precondition(labels.allSatisfy { Self.isValidName($0) && $0 != "le" }, "\(name) has an invalid label name")
        precondition(maximumSeries > 0, "\(name) has no room for a series")
        switch kind {
        case .counter: precondition(name.hasSuffix("_total"), "\(name) is a counter and must end in _total")
        case .gauge: break
        case .histogram(let bounds):
            precondition(bounds.allSatisfy(\.isFinite), "\(name) has a bound that is not finite")
            precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "\(name)'s bounds do not rise")
        }
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.maximumSeries = maximumSeries
    }

    /// The word after `# TYPE name`.
    var typeName: String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }

    private static func isValidName(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetter(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
