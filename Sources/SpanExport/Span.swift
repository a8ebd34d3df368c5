package import ServingModel

/// Something that took a time, as part of a trace: OpenTelemetry's span.
package struct Span: Hashable, Sendable {
    /// OTLP's numbers.
    package enum Kind: Int, Sendable {
        case `internal` = 1
        case server = 2
    }

    package enum Value: Hashable, Sendable {
        case text(String)
        case integer(Int)
        case number(Double)
        case truth(Bool)
        case texts([String])
    }

    package struct Attribute: Hashable, Sendable {
        package var key: String
        package var value: Value
    }

    package var context: TraceContext
    package var id: SpanID
    package var name: String
    package var kind: Kind
    /// Nanoseconds since 1970.
    package var start: Int64
    package var end: Int64
    package var attributes: [Attribute] = []
    /// What went wrong; nil if nothing did.
    package var failure: String?

    /// - Parameter context: its trace, and in there the span that it is a part of.
    package init(_ context: TraceContext, id: SpanID, name: String, kind: Kind, start: Int64, end: Int64) {
        self.context = context
        self.id = id
        self.name = name
        self.kind = kind
        self.start = start
        self.end = max(start, end)
    }

    package subscript(key: String) -> Value? {
        get { attributes.first { $0.key == key }?.value }
        set {
            attributes.removeAll { $0.key == key }
            if let newValue { attributes.append(Attribute(key: key, value: newValue)) }
        }
    }
}
