internal import AladdinClient
internal import Logging
internal import Messages
internal import ServingModel
internal import Telemetry

/// The broker's view of the cluster as metrics, asked for anew with every scrape.
///
/// Nothing is kept between scrapes, so that workers that have left leave no series behind.
struct ClusterMetrics: Sendable {
    /// The broker's admin endpoint.
    let endpoint: String
    /// For a broker that wants to know who asks.
    var key: ClientKey?

    /// Prometheus' text format; empty if the broker does not answer in time.
    func exposition() async -> String {
        let admin = AdminClient(endpoint: endpoint, key: key, logger: .silent)
        do throws(Status) {
            return Self.exposition(of: try await admin.status(patience: .seconds(1)))
        } catch {
            return ""
        }
    }

    static func exposition(of status: ClusterStatus) -> String {
        let registry = MetricRegistry()
        for (quantity, average) in quantities(of: status.predictions) where average.count > 0 {
            registry.counter(MetricCatalogue.predictions, quantity).increment(by: Double(average.count))
            registry.gauge(MetricCatalogue.predictionError, quantity).set(average.magnitude)
            registry.gauge(MetricCatalogue.predictionBias, quantity).set(average.bias)
        }
        for model in status.models {
            registry.counter(MetricCatalogue.wastedTokens, model.model).increment(by: Double(model.wastedTokens))
        }
        for worker in status.workers {
            let step = PredictionErrors.Average(
                magnitude: worker.stepError,
                bias: worker.stepBias,
                count: worker.steps
            )
            let id = "\(worker.worker.rawValue)"
            for (quantity, average) in quantities(of: worker.predictions) + [("step", step)] where average.count > 0 {
                registry.gauge(MetricCatalogue.workerPredictionError, worker.name, id, quantity).set(average.magnitude)
                registry.gauge(MetricCatalogue.workerPredictionBias, worker.name, id, quantity).set(average.bias)
            }
        }
        return registry.exposition()
    }

    private static func quantities(of errors: PredictionErrors) -> [(String, PredictionErrors.Average)] {
        [("ttft", errors.timeToFirstToken), ("atgt", errors.tokenTime)]
    }
}
