internal import Messages
internal import ServingModel
internal import Telemetry

/// The broker's view of the cluster as metrics, made anew for every scrape, and what the broker measures itself.
///
/// Nothing is kept between scrapes, so that workers that have left leave no series behind.
enum ClusterMetrics {
    /// Prometheus' text format; of a broker that did not answer, only that.
    static func exposition(of status: ClusterStatus?) -> String {
        let registry = MetricRegistry()
        registry.gauge(MetricCatalogue.brokerUp).set(status == nil ? 0 : 1)
        guard let status else { return registry.exposition() }
        write(status, to: registry)
        for model in status.models {
            write(model, to: registry)
            for role in WorkerRole.allCases {
                let count = status.workers.count {
                    $0.profile.model == model.model && $0.role == role && !$0.isDraining
                }
                registry.gauge(MetricCatalogue.modelRoleWorkers, model.model, role.rawValue).set(Double(count))
            }
        }
        for fleet in status.fleets { write(fleet, to: registry) }
        for worker in status.workers { write(worker, to: registry) }
        return registry.exposition() + status.metrics
    }

    private static func write(_ status: ClusterStatus, to registry: MetricRegistry) {
        registry.gauge(MetricCatalogue.brokerUptime).set(status.uptime.seconds)
        registry.gauge(MetricCatalogue.frontendSessions).set(Double(status.frontendSessions))
        registry.gauge(MetricCatalogue.schedulerUp).set(status.policy.isEmpty ? 0 : 1)
        registry.counter(MetricCatalogue.schedulerDecisions).increment(by: Double(status.decisions))
        if status.decisions > 0 {
            let times = [("50", status.decisionP50Microseconds), ("99", status.decisionP99Microseconds)]
            for (percentile, time) in times {
                registry.gauge(MetricCatalogue.schedulerDecisionTime, percentile).set(time / 1e6)
            }
        }
        if let objective = status.objective {
            registry.gauge(MetricCatalogue.defaultObjective, "ttft").set(objective.timeToFirstToken.seconds)
            registry.gauge(MetricCatalogue.defaultObjective, "atgt").set(objective.averageTokenTime.seconds)
        }
        for (quantity, average) in quantities(of: status.predictions) where average.count > 0 {
            registry.counter(MetricCatalogue.predictions, quantity).increment(by: Double(average.count))
            registry.gauge(MetricCatalogue.predictionError, quantity).set(average.magnitude)
            registry.gauge(MetricCatalogue.predictionBias, quantity).set(average.bias)
        }
    }

    private static func write(_ model: ModelStatus, to registry: MetricRegistry) {
        registry.gauge(MetricCatalogue.modelWorkers, model.model).set(Double(model.workers))
        registry.gauge(MetricCatalogue.modelQueued, model.model).set(Double(model.queued))
        registry.gauge(MetricCatalogue.modelRunning, model.model).set(Double(model.running))
        let outcomes = [
            ("completed", model.completed), ("failed", model.failed), ("cancelled", model.cancelled),
            ("refused", model.refused),
        ]
        for (outcome, count) in outcomes {
            registry.counter(MetricCatalogue.modelQueries, model.model, outcome).increment(by: Double(count))
        }
        registry.counter(MetricCatalogue.modelRetries, model.model).increment(by: Double(model.retried))
        registry.counter(MetricCatalogue.modelOutputTokens, model.model).increment(by: Double(model.outputTokens))
        registry.counter(MetricCatalogue.modelWastedTokens, model.model).increment(by: Double(model.wastedTokens))
        registry.counter(MetricCatalogue.handovers, model.model).increment(by: Double(model.handovers))
        registry.counter(MetricCatalogue.failedHandovers, model.model).increment(by: Double(model.failedHandovers))
        registry.counter(MetricCatalogue.handoverBytes, model.model).increment(by: Double(model.handoverBytes))
        if model.timeToFirstToken.count > 0 {
            registry.gauge(MetricCatalogue.modelAttainment, model.model).set(model.attainment)
        }
        write(model.timeToFirstToken, of: model.model, as: MetricCatalogue.modelTimeToFirstToken, to: registry)
        write(model.averageTokenTime, of: model.model, as: MetricCatalogue.modelTokenTime, to: registry)
    }

    private static func write(
        _ summary: LatencySummary,
        of model: String,
        as metric: MetricDescriptor,
        to registry: MetricRegistry
    ) {
        guard summary.count > 0 else { return }
        registry.gauge(metric, model, "50").set(summary.p50Milliseconds / 1e3)
        registry.gauge(metric, model, "90").set(summary.p90Milliseconds / 1e3)
        registry.gauge(metric, model, "99").set(summary.p99Milliseconds / 1e3)
    }

    private static func write(_ fleet: FleetWish, to registry: MetricRegistry) {
        registry.gauge(MetricCatalogue.fleetWanted, fleet.model, fleet.role.rawValue).set(Double(fleet.workers))
        registry.gauge(MetricCatalogue.fleetActive, fleet.model, fleet.role.rawValue).set(Double(fleet.active))
        registry.gauge(MetricCatalogue.fleetStarting, fleet.model, fleet.role.rawValue).set(Double(fleet.starting))
        registry.gauge(MetricCatalogue.fleetOfferedLoad, fleet.model, fleet.role.rawValue).set(fleet.offeredLoad)
        registry.gauge(MetricCatalogue.fleetGPUsPerWorker, fleet.model, fleet.role.rawValue).set(
            Double(fleet.gpusPerWorker)
        )
        registry.gauge(MetricCatalogue.fleetReason, fleet.model, fleet.role.rawValue, fleet.reason).set(1)
    }

    private static func write(_ worker: WorkerStatus, to registry: MetricRegistry) {
        let id = "\(worker.worker.rawValue)"
        let capacity = worker.profile.kvCache.capacityTokens
        for (metric, value) in [
            (MetricCatalogue.workerRunning, worker.running), (MetricCatalogue.workerWaiting, worker.waiting),
            (MetricCatalogue.workerQueued, worker.queued), (MetricCatalogue.workerCapacityTokens, capacity),
            (MetricCatalogue.workerUsedTokens, max(capacity - worker.freeKVTokens, 0)),
            (MetricCatalogue.workerDraining, worker.isDraining ? 1 : 0),
        ] {
            registry.gauge(metric, worker.name, id).set(Double(value))
        }
        registry.gauge(MetricCatalogue.workerReportAge, worker.name, id).set(worker.lastStepAge.seconds)
        registry.counter(MetricCatalogue.workerCompleted, worker.name, id)
            .increment(by: Double(worker.queriesCompleted))
        registry.counter(MetricCatalogue.workerOutputTokens, worker.name, id).increment(by: Double(worker.outputTokens))
        let step = PredictionErrors.Average(magnitude: worker.stepError, bias: worker.stepBias, count: worker.steps)
        for (quantity, average) in quantities(of: worker.predictions) + [("step", step)] where average.count > 0 {
            registry.gauge(MetricCatalogue.workerPredictionError, worker.name, id, quantity).set(average.magnitude)
            registry.gauge(MetricCatalogue.workerPredictionBias, worker.name, id, quantity).set(average.bias)
        }
    }

    private static func quantities(of errors: PredictionErrors) -> [(String, PredictionErrors.Average)] {
        [("ttft", errors.timeToFirstToken), ("atgt", errors.tokenTime)]
    }
}
