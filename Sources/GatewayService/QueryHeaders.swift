internal import HTTPTypes
internal import ServingModel

/// The `x-…` headers of a request, checked, as a query's metadata.
enum QueryHeaders {
    private enum Rule {
        case milliseconds
        case integer(ClosedRange<Int>)
        case text(maximumBytes: Int)
        case word([String])
    }

    /// Headers in the order in which they become metadata: name, key, what it must be.
    private static let rules: [(header: String, key: String, rule: Rule)] = [
        ("x-slo-ttft-ms", "x-slo-ttft-ms", .milliseconds),
        ("x-llm-d-slo-ttft-ms", "x-slo-ttft-ms", .milliseconds),
        ("x-slo-tpot-ms", "x-slo-tpot-ms", .milliseconds),
        ("x-llm-d-slo-tpot-ms", "x-slo-tpot-ms", .milliseconds),
        ("x-slo-class", "x-slo-class", .text(maximumBytes: 64)),
        ("x-aladdin-priority", "x-aladdin-priority", .integer(Int(Int32.min)...Int(Int32.max))),
        ("x-aladdin-tenant", "x-aladdin-tenant", .text(maximumBytes: 128)),
        ("x-aladdin-output-tokens", "x-aladdin-output-tokens", .integer(1...Int(Int32.max))),
        ("x-aladdin-durability", "x-aladdin-durability", .word(Durability.allCases.map(\.rawValue))),
        ("idempotency-key", "idempotency-key", .text(maximumBytes: 128)),
        ("x-request-timeout-ms", "x-request-timeout-ms", .milliseconds),
    ]

    /// Those of `rules`.
    private static let names = rules.map { HTTPField.Name.gateway($0.header) }

    /// Reads the metadata; our own name of an objective wins over llm-d's.
    static func metadata(from headers: HTTPFields) throws(APIError) -> [(key: String, value: String)] {
        var metadata: [(key: String, value: String)] = []
        for (name, (header, key, rule)) in zip(names, rules) {
            guard let raw = headers[name] else { continue }
            let value = try validated(trimmed(raw), header, rule)
            guard !metadata.contains(where: { $0.key == key }) else { continue }
            metadata.append((key, value))
        }
        // Trace contexts come from proxies; W3C asks to go on without one that is broken rather than to refuse.
        if let context = traceContext(of: headers) { metadata += context.metadata }
        return metadata
    }

    /// Whose part a request is; nil if it does not say, says it twice, or in a way that is malformed.
    static func traceContext(of headers: HTTPFields) -> TraceContext? {
        let parents = headers[values: .traceParent]
        guard parents.count == 1 else { return nil }
        let states = headers[values: .traceState].map(trimmed).joined(separator: ",")
        return TraceContext(traceparent: trimmed(parents[0]), tracestate: states)
    }

    private static func validated(_ text: String, _ header: String, _ rule: Rule) throws(APIError) -> String {
        switch rule {
        case .milliseconds:
            guard let number = decimal(text), number > 0, Interval(validatingMilliseconds: number) != nil else {
                throw invalid(
                    header,
                    "a number of milliseconds above 0",
                    header.contains("-slo-") ? .invalidObjective : .invalidMetadata
                )
            }
            return number == number.rounded() ? String(Int64(number)) : String(describing: number)
        case .integer(let range):
            guard let number = Int(text), range.contains(number) else {
                throw invalid(header, "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return String(number)
        case .word(let words):
            guard words.contains(text) else { throw invalid(header, "one of \(words.joined(separator: ", "))") }
            return text
        case .text(let maximumBytes):
            guard (1...maximumBytes).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
            else { throw invalid(header, "1 to \(maximumBytes) printable ASCII characters") }
            return text
        }
    }

    private static func invalid(
        _ header: String,
        _ expected: String,
        _ reason: Reason = .invalidMetadata
    ) -> APIError {
        .invalidRequest("The header \(header) must be \(expected).", param: header, code: reason.label)
    }

    /// A number in decimal notation; `Double` alone would take hexadecimal, `inf` and `nan` too.
    private static func decimal(_ text: String) -> Double? {
        let isDecimal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
                UInt8(ascii: "+"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isDecimal ? Double(text) : nil
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

extension TraceContext {
    /// As a query's metadata.
    var metadata: [(key: String, value: String)] {
        guard let traceparent else { return [] }
        return [("traceparent", traceparent)] + (state.isEmpty ? [] : [("tracestate", state)])
    }
}
