/// Samples of Prometheus' text format: what a scrape found, by name.
///
/// Lines that cannot be read are skipped: one odd metric must not cost all the others.
struct PrometheusSamples {
    struct Sample: Hashable {
        var labels: [String: String]
        var value: Double
    }

    private var samples: [String: [Sample]] = [:]

    init(_ text: [UInt8]) {
        for line in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") }) {
            var reader = LineReader(line)
            guard let (name, sample) = reader.sample() else { continue }
            samples[name, default: []].append(sample)
        }
    }

    func all(_ name: String) -> [Sample] { samples[name] ?? [] }

    /// The sum over all labels of the first of these names that is there; nil if none is, or a value is no number.
    func sum(_ names: String...) -> Double? {
        guard let found = names.lazy.compactMap({ samples[$0] }).first else { return nil }
        let sum = found.reduce(0) { $0 + $1.value }
        return sum.isFinite ? sum : nil
    }

    /// The mean over all labels, likewise.
    func mean(_ names: String...) -> Double? {
        guard let found = names.lazy.compactMap({ samples[$0] }).first else { return nil }
        let mean = found.reduce(0) { $0 + $1.value } / Double(found.count)
        return mean.isFinite ? mean : nil
    }

    private struct LineReader {
        private var rest: ArraySlice<UInt8>

        init(_ line: ArraySlice<UInt8>) {
            rest = line
        }

        /// Reads a line as `name{label="value",…} number [time]`.
        mutating func sample() -> (String, Sample)? {
            skipBlanks()
            guard rest.first != UInt8(ascii: "#") else { return nil }
            let name = take { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            guard !name.isEmpty, let labels = labels() else { return nil }
            skipBlanks()
            let number = take { $0 > UInt8(ascii: " ") }
            guard let value = Double(number) else { return nil }
            return (name, Sample(labels: labels, value: value))
        }

        private mutating func labels() -> [String: String]? {
            guard rest.first == UInt8(ascii: "{") else { return [:] }
            rest.removeFirst()
            var labels: [String: String] = [:]
            while true {
                skipBlanks()
                if rest.first == UInt8(ascii: "}") {
                    rest.removeFirst()
                    return labels
                }
                let name = take { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: " ") }
                skipBlanks()
                guard rest.popFirst() == UInt8(ascii: "=") else { return nil }
                skipBlanks()
                guard let value = quoted() else { return nil }
                labels[name] = value
                skipBlanks()
                if rest.first == UInt8(ascii: ",") { rest.removeFirst() }
            }
        }

        private mutating func quoted() -> String? {
            guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = rest.popFirst() else { return nil }
                    bytes.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
                default: bytes.append(byte)
                }
            }
            return nil
        }

        private mutating func skipBlanks() {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }

        private mutating func take(while isPart: (UInt8) -> Bool) -> String {
            let part = rest.prefix(while: isPart)
            rest = rest.dropFirst(part.count)
            return String(decoding: part, as: UTF8.self)
        }
    }
}
