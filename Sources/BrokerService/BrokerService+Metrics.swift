internal import Brokering
internal import ServingModel
internal import SpanExport
internal import Telemetry

/// What the broker counts and measures, as metrics; made anew each time that somebody asks.
extension BrokerService {
    /// Prometheus' text format.
    ///
    /// - Parameter account: who asks; one tenant is told of no other.
    func metrics(for account: Account) -> String {
        let registry = MetricRegistry()
        registry.gauge(MetricCatalogue.brokerQueries).set(Double(broker.liveQueries))
        registry.gauge(MetricCatalogue.brokerRequestBytes).set(Double(broker.liveBytes))
        registry.gauge(MetricCatalogue.brokerOutputBytes).set(Double(broker.spooledBytes))
        for name in broker.modelOrder {
            guard let figures = broker.model(name)?.figures else { continue }
            write(figures, of: name, to: registry)
        }
        for (key, figures) in broker.tenants.rows where account.tenant == nil || account.tenant == key.tenant {
            write(figures, of: key, to: registry)
        }
        if let counts = configuration.spans?.counts {
            for (result, count) in counts.byResult {
                registry.counter(MetricCatalogue.traceSpans, result).increment(by: Double(count))
            }
        }
        if journal != nil {
            registry.histogram(MetricCatalogue.journalCommitTime).add(journalFigures.commitTime)
            registry.histogram(MetricCatalogue.journalCommitRecords).add(journalFigures.commitRecords)
            registry.gauge(MetricCatalogue.journalPending).set(Double(broker.written - broker.durable))
        }
        return registry.exposition()
    }

    private func write(_ figures: ModelFigures, of model: String, to registry: MetricRegistry) {
        for (key, latencies) in figures.latencies {
            let (name, rank) = (key.name, key.rank.label)
            registry.histogram(MetricCatalogue.queryTimeToFirstToken, model, name, rank).add(latencies.timeToFirstToken)
            registry.histogram(MetricCatalogue.queryTokenTime, model, name, rank).add(latencies.averageTokenTime)
            registry.histogram(MetricCatalogue.queryDuration, model, name, rank).add(latencies.duration)
        }
        registry.histogram(MetricCatalogue.queryQueueWait, model).add(figures.queueWait)
        registry.histogram(MetricCatalogue.stepTime, model).add(figures.stepTime)
        registry.histogram(MetricCatalogue.stepDecodeSequences, model).add(figures.decodeSequences)
        registry.histogram(MetricCatalogue.stepPrefillTokens, model).add(figures.prefillTokens)
        registry.counter(MetricCatalogue.modelPromptTokens, model).increment(by: Double(figures.promptTokens))
        registry.counter(MetricCatalogue.leasesGranted, model).increment(by: Double(figures.leasesGranted))
        for end in LeaseEnd.allCases {
            let count = Double(figures.leases(that: end))
            registry.counter(MetricCatalogue.leasesEnded, model, end.label).increment(by: count)
        }
        for (reason, count) in figures.refusals {
            registry.counter(MetricCatalogue.modelRefusals, model, reason.label).increment(by: Double(count))
        }
        for (reason, count) in figures.failures {
            registry.counter(MetricCatalogue.modelFailures, model, reason.label).increment(by: Double(count))
        }
    }

    private func write(
        _ figures: TenantFigures.Figures,
        of key: TenantFigures.Key,
        to registry: MetricRegistry
    ) {
        let (name, rank) = (key.serviceClass.name, key.serviceClass.rank.label)
        for outcome in TenantFigures.Outcome.allCases where figures.queries(outcome) > 0 {
            registry.counter(MetricCatalogue.tenantQueries, key.model, key.tenant, name, rank, outcome.label)
                .increment(by: Double(figures.queries(outcome)))
        }
        registry.counter(MetricCatalogue.tenantOutputTokens, key.model, key.tenant, name, rank)
            .increment(by: Double(figures.outputTokens))
        registry.counter(MetricCatalogue.tenantOutputTokensInTime, key.model, key.tenant, name, rank)
            .increment(by: Double(figures.outputTokensInTime))
    }
}
