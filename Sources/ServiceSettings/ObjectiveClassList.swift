package import ServingModel

/// Objectives with names, from `interactive=500/50, batch=60000/500`: TTFT and ATGT in milliseconds.
package enum ObjectiveClassList {
    static let expectation =
        "NAME=TTFT/ATGT in milliseconds, several with a comma between, for example interactive=500/50,batch=60000/500"

    static func fault(in text: String) -> String? {
        parse(text) == nil ? expectation : nil
    }

    /// Nil unless each class is well-formed and named once.
    package static func parse(_ text: String) -> [String: ServiceLevelObjective]? {
        var classes: [String: ServiceLevelObjective] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false).map { trimmed($0) }
            guard sides.count == 2, isName(sides[0]), classes[sides[0]] == nil else { return nil }
            let times = sides[1].split(separator: "/", omittingEmptySubsequences: false).map {
                Double(trimmed($0)).flatMap { Interval(validatingMilliseconds: $0) }
            }
            guard times.count == 2, let first = times[0], let pace = times[1], first > .zero, pace > .zero else {
                return nil
            }
            classes[sides[0]] = ServiceLevelObjective(timeToFirstToken: first, averageTokenTime: pace)
        }
        return classes
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return String(text)
    }
}
