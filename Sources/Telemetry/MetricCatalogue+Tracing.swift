extension MetricCatalogue {
    package static let traceSpans = MetricDescriptor(
        "aladdin_trace_spans_total",
        .counter,
        help: "Spans of the broker's process by what became of them: exported, dropped for want of room, or failed.",
        labels: ["result"]
    )

    package static let gatewayTraceSpans = MetricDescriptor(
        "aladdin_gateway_trace_spans_total",
        .counter,
        help: "Spans of a gateway of its own by what became of them: exported, dropped for want of room, or failed.",
        labels: ["result"]
    )
}
