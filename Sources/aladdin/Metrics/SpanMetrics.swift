internal import SpanExport
internal import Telemetry

/// What became of the spans of this process, as metrics.
enum SpanMetrics {
    static func exposition(of counts: SpanCounts?) -> String {
        guard let counts else { return "" }
        let registry = MetricRegistry()
        let results = [("exported", counts.exported), ("dropped", counts.dropped), ("failed", counts.failed)]
        for (result, count) in results {
            registry.counter(MetricCatalogue.traceSpans, result).increment(by: count)
        }
        return registry.exposition()
    }
}
