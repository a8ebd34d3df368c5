internal import Foundation
internal import HTTPTypes
internal import ServingModel
package import SpanExport
internal import Synchronization

/// How a gateway traces its requests.
package struct GatewayTracing: Sendable {
    package var spans: SpanExporter
    /// Of the requests that bring no trace context.
    package var share: Double

    package init(spans: SpanExporter, share: Double) {
        self.spans = spans
        self.share = share
    }
}

/// A request's place in a trace, and the span of its answering if the gateway traces it.
final class RequestTrace: Sendable {
    /// What is passed on: the gateway's span as parent if it makes one, else the client's.
    let context: TraceContext?
    private let tracing: GatewayTracing?
    private let span: Mutex<Span?>

    /// Nil if there is nothing to pass on and nobody to tell.
    ///
    /// - Parameter tracing: nil for a gateway that traces nothing itself, and passes on what clients say.
    init?(of request: HTTPRequest, _ route: Route, _ tracing: GatewayTracing?) {
        let given = QueryHeaders.traceContext(of: request.headerFields)
        guard given != nil || tracing != nil else { return nil }
        self.tracing = tracing
        guard let tracing else {
            context = given
            span = Mutex(nil)
            return
        }
        let outer = given ?? Self.fresh(tracing.share)
        let id = SpanID(rawValue: .random(in: 1 ... .max))
        context = outer.within(id)
        guard outer.isSampled else {
            span = Mutex(nil)
            return
        }
        let now = Self.unixNanoseconds
        let name = "\(request.method.rawValue) \(route.label)"
        var span = Span(outer, id: id, name: name, kind: .server, start: now, end: now)
        span["http.request.method"] = .text(request.method.rawValue)
        span["http.route"] = .text(route.label)
        span["url.path"] = .text(String((request.path ?? "").prefix { $0 != "?" }))
        self.span = Mutex(span)
    }

    /// Adds to an answer's head whose part it is, and to the span what the answer is.
    func answered(_ code: Int, _ headers: inout HTTPFields) {
        let query = headers[.queryID]
        span.withLock { span in
            span?["http.response.status_code"] = .integer(code)
            if let query { span?["aladdin.query.id"] = .text(query) }
            guard code >= 400 else { return }
            span?["error.type"] = .text("\(code)")
            if code >= 500 { span?.failure = "HTTP \(code)" }
        }
        guard let context else { return }
        let inner = tracing == nil ? query.flatMap { QueryID($0) }.map { SpanID(of: $0, part: 0) } : context.parent
        if let inner { headers[.traceResponse] = context.within(inner).traceparent }
    }

    /// All of the answer is on its way.
    func end() {
        guard let tracing, var span = span.withLock({ $0 }) else { return }
        span.end = max(Self.unixNanoseconds, span.start)
        tracing.spans.record([span])
    }

    private static func fresh(_ share: Double) -> TraceContext {
        let trace = TraceID(high: .random(in: .min ... .max), low: .random(in: 1 ... .max))
        var context = TraceContext(trace: trace, parent: nil, isSampled: trace.isAmong(share: share))
        context.isRandom = true
        return context
    }

    private static var unixNanoseconds: Int64 {
        Int64(Date().timeIntervalSince1970 * 1e9)
    }
}
