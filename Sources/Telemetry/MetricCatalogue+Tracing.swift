extension MetricCatalogue {
    package static let traceSpans = MetricDescriptor(
        "aladdin_trace_spans_total",
        .counter,
        help: "Spans of the gateway's process by what became of them: exported, dropped for want of room, or failed.",
        labels: ["result"]
    )
}
