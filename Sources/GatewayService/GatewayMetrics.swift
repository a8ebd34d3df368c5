internal import ServingModel
internal import Synchronization
internal import Telemetry

/// The gateway's own numbers, with the series of the hot path at hand.
struct GatewayMetrics: Sendable {
    /// A request being answered: counted from its making until its end, or until it is let go of.
    final class InFlight: Sendable {
        private let gauge: Gauge
        private let isOver = Atomic(false)

        init(_ gauge: Gauge) {
            self.gauge = gauge
            gauge.add(1)
        }

        deinit { end() }

        func end() {
            if !isOver.exchange(true, ordering: .relaxed) { gauge.add(-1) }
        }
    }

    let registry: MetricRegistry
    private let requestsInFlight: Gauge
    private let timeToFirstToken: Histogram
    private let averageTokenTime: Histogram
    private let outputTokens: Counter

    init(_ registry: MetricRegistry) {
        self.registry = registry
        registry.gauge(MetricCatalogue.buildInfo, Version.current).set(1)
        requestsInFlight = registry.gauge(MetricCatalogue.gatewayRequestsInFlight)
        timeToFirstToken = registry.histogram(MetricCatalogue.gatewayTimeToFirstToken)
        averageTokenTime = registry.histogram(MetricCatalogue.gatewayAverageTokenTime)
        outputTokens = registry.counter(MetricCatalogue.gatewayOutputTokens)
    }

    func beginRequest() -> InFlight { InFlight(requestsInFlight) }

    func answered(route: String, code: Int) {
        registry.counter(MetricCatalogue.gatewayRequests, route, String(code)).increment()
    }

    func received(tokens: Int, after timeToFirstToken: Duration?) {
        outputTokens.increment(by: tokens)
        if let timeToFirstToken { self.timeToFirstToken.observe(timeToFirstToken) }
    }

    func finished(averageTokenTime: Duration?) {
        if let averageTokenTime { self.averageTokenTime.observe(averageTokenTime) }
    }

    func cancelledByClient(streaming: Bool) {
        registry.counter(MetricCatalogue.gatewayClientCancellations, streaming ? "stream" : "plain").increment()
    }

    func streamFailed(_ error: APIError) {
        registry.counter(MetricCatalogue.gatewayStreamErrors, error.code ?? "none").increment()
    }
}
