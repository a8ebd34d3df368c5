internal import SpanExport
internal import Telemetry

/// What became of the spans of a gateway of its own, as metrics.
enum SpanMetrics {
    static func exposition(of counts: SpanCounts?) -> String {
        guard let counts else { return "" }
        let registry = MetricRegistry()
        for (result, count) in counts.byResult {
            registry.counter(MetricCatalogue.gatewayTraceSpans, result).increment(by: Double(count))
        }
        return registry.exposition()
    }
}
