/// Each worker as the broker tells of it. A worker's series end when it leaves.
extension MetricCatalogue {
    package static let workerRunning = workerGauge(
        "aladdin_worker_running_queries",
        "Queries in a worker's batch."
    )

    package static let workerWaiting = workerGauge(
        "aladdin_worker_waiting_queries",
        "Queries that a worker has pulled and does not run yet."
    )

    package static let workerQueued = workerGauge(
        "aladdin_worker_queued_queries",
        "Queries that are placed on a worker and not pulled."
    )

    package static let workerUsedTokens = workerGauge(
        "aladdin_worker_kv_used_tokens",
        "Tokens in a worker's KV cache."
    )

    package static let workerCapacityTokens = workerGauge(
        "aladdin_worker_kv_capacity_tokens",
        "Tokens that a worker's KV cache holds."
    )

    package static let workerDraining = workerGauge(
        "aladdin_worker_draining",
        "1 if a worker takes nothing new, 0 if it serves."
    )

    package static let workerReportAge = workerGauge(
        "aladdin_worker_report_age_seconds",
        "Time since a worker's last report of a step."
    )

    package static let workerCompleted = MetricDescriptor(
        "aladdin_worker_completed_total",
        .counter,
        help: "Queries that a worker has completed.",
        labels: workerLabels,
        maximumSeries: maximumWorkers
    )

    package static let workerOutputTokens = MetricDescriptor(
        "aladdin_worker_output_tokens_total",
        .counter,
        help: "Output tokens that a worker has sent.",
        labels: workerLabels,
        maximumSeries: maximumWorkers
    )

    private static func workerGauge(_ name: String, _ help: String) -> MetricDescriptor {
        MetricDescriptor(name, .gauge, help: help, labels: workerLabels, maximumSeries: maximumWorkers)
    }
}
