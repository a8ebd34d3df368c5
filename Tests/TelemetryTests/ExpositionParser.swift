/// Reads Prometheus text exposition format 0.0.4 strictly, so that tests can look at what a scraper would see.
struct ExpositionParser {
    struct Failure: Error, CustomStringConvertible {
        var line: Int
        var description: String
    }

    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    private(set) var help: [String: String] = [:]
    private(set) var types: [String: String] = [:]
    private(set) var samples: [Sample] = []

    init(_ text: String) throws {
        guard text.isEmpty || text.hasSuffix("\n") else {
            throw Failure(line: 0, description: "the last line has no line feed")
        }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: true).enumerated() {
            do {
                try read(line)
            } catch let failure as Failure {
                throw Failure(line: index + 1, description: failure.description)
            }
        }
    }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }

    private mutating func read(_ line: Substring) throws {
        if line.hasPrefix("#") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.count == 4 else { throw Failure(line: 0, description: "short comment: \(line)") }
            switch words[1] {
            case "HELP": help[String(words[2])] = String(words[3])
            case "TYPE":
                guard types.updateValue(String(words[3]), forKey: String(words[2])) == nil else {
                    throw Failure(line: 0, description: "second TYPE of \(words[2])")
                }
            default: throw Failure(line: 0, description: "unknown comment: \(line)")
            }
            return
        }
        var rest = line
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        rest = rest.dropFirst(name.count)
        let labels = rest.hasPrefix("{") ? try readLabels(&rest) : [:]
        guard rest.hasPrefix(" "), let value = Self.number(rest.dropFirst()) else {
            throw Failure(line: 0, description: "no number in: \(line)")
        }
        let family =
            ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) && types[name] == nil }
            .map { String(name.dropLast($0.count)) } ?? name
        guard types[family] != nil else { throw Failure(line: 0, description: "\(name) has no TYPE before it") }
        let sample = Sample(name: name, labels: labels, value: value)
        guard !samples.contains(where: { $0.name == name && $0.labels == labels }) else {
            throw Failure(line: 0, description: "second sample of \(line)")
        }
        samples.append(sample)
    }

    private func readLabels(_ rest: inout Substring) throws -> [String: String] {
        var labels: [String: String] = [:]
        rest.removeFirst()
        while !rest.hasPrefix("}") {
            let key = String(rest.prefix { $0 != "=" })
            rest = rest.dropFirst(key.count)
            guard rest.hasPrefix("=\"") else { throw Failure(line: 0, description: "label \(key) has no value") }
            rest = rest.dropFirst(2)
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                guard character == "\\" else {
                    value.append(character)
                    continue
                }
                switch rest.popFirst() {
                case "n": value.append("\n")
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                case let other: throw Failure(line: 0, description: "unknown escape \(String(describing: other))")
                }
            }
            labels[key] = value
            if rest.hasPrefix(",") { rest.removeFirst() }
            guard !rest.isEmpty else { throw Failure(line: 0, description: "labels do not end") }
        }
        rest.removeFirst()
        return labels
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }
}
