internal import Foundation
internal import ServingModel

/// Spans in OTLP's JSON encoding: one `ExportTraceServiceRequest`, in one line.
package enum SpanDocument {
    /// - Parameter instance: tells this process from others of the service.
    package static func json(_ spans: [Span], instance: String) -> [UInt8] {
        let resource: [String: Any] = [
            "attributes": [
                attribute("service.name", .text("aladdin")), attribute("service.version", .text(Version.current)),
                attribute("service.instance.id", .text(instance)),
            ]
        ]
        let scope: [String: Any] = ["name": "aladdin", "version": Version.current]
        let document: [String: Any] = [
            "resourceSpans": [
                ["resource": resource, "scopeSpans": [["scope": scope, "spans": spans.map(object)]]]
            ]
        ]
        guard
            let data = try? JSONSerialization.data(
                withJSONObject: document,
                options: [.sortedKeys, .withoutEscapingSlashes]
            )
        else { preconditionFailure("spans are plain JSON") }
        return [UInt8](data)
    }

    private static func object(_ span: Span) -> [String: Any] {
        var object: [String: Any] = [
            "traceId": "\(span.context.trace)", "spanId": "\(span.id)", "name": span.name, "kind": span.kind.rawValue,
            // 64-bit numbers are text in protobuf's JSON.
            "startTimeUnixNano": "\(span.start)", "endTimeUnixNano": "\(span.end)",
            "attributes": span.attributes.map { attribute($0.key, $0.value) },
            "flags": (span.context.isSampled ? 1 : 0) + (span.context.isRandom ? 2 : 0),
            "status": span.failure.map { ["code": 2, "message": $0] as [String: Any] } ?? [:],
        ]
        if let parent = span.context.parent { object["parentSpanId"] = "\(parent)" }
        if !span.context.state.isEmpty { object["traceState"] = span.context.state }
        return object
    }

    private static func attribute(_ key: String, _ value: Span.Value) -> [String: Any] {
        ["key": key, "value": self.value(value)]
    }

    private static func value(_ value: Span.Value) -> [String: Any] {
        switch value {
        case .text(let text): ["stringValue": text]
        case .integer(let number): ["intValue": "\(number)"]
        case .number(let number): number.isFinite ? ["doubleValue": number] : ["stringValue": "\(number)"]
        case .truth(let truth): ["boolValue": truth]
        case .texts(let texts): ["arrayValue": ["values": texts.map { ["stringValue": $0] }]]
        }
    }
}
