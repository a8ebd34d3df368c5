/// Every metric that Aladdin exposes: the one place where their names are written.
package enum MetricCatalogue {
    /// From a millisecond to two minutes: times to the first token.
    package static let firstTokenBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120,
    ]

    /// From a tenth of a millisecond to ten seconds: times between tokens.
    package static let tokenTimeBounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10,
    ]

    package static let gatewayRequests = MetricDescriptor(
        "aladdin_gateway_requests_total",
        .counter,
        help: "HTTP requests answered, by route and status code.",
        labels: ["route", "code"]
    )

    package static let gatewayRequestsInFlight = MetricDescriptor(
        "aladdin_gateway_requests_in_flight",
        .gauge,
        help: "HTTP requests being answered at the moment."
    )

    package static let gatewayTimeToFirstToken = MetricDescriptor(
        "aladdin_gateway_ttft_seconds",
        .histogram(bounds: firstTokenBounds),
        help: "From a request being read to its first output token, as the gateway sees it."
    )

    package static let gatewayAverageTokenTime = MetricDescriptor(
        "aladdin_gateway_atgt_seconds",
        .histogram(bounds: tokenTimeBounds),
        help: "Mean gap between a query's output tokens after the first, as the gateway sees it."
    )

    package static let gatewayOutputTokens = MetricDescriptor(
        "aladdin_gateway_output_tokens_total",
        .counter,
        help: "Output tokens received for HTTP clients."
    )

    package static let gatewayClientCancellations = MetricDescriptor(
        "aladdin_gateway_cancelled_by_client_total",
        .counter,
        help: "Queries cancelled because the HTTP client closed its connection or stopped reading.",
        labels: ["mode"]
    )

    package static let gatewayStreamErrors = MetricDescriptor(
        "aladdin_gateway_stream_errors_total",
        .counter,
        help: "Streamed answers that ended in an error event after their head had been sent, by reason.",
        labels: ["reason"]
    )
}
