/// The whole cluster as the broker tells of it: the broker itself, its scheduler, models and fleets.
extension MetricCatalogue {
    private static let modelLabels = ["model"]

    package static let buildInfo = MetricDescriptor(
        "aladdin_build_info",
        .gauge,
        help: "Always 1; the label tells the version of the gateway.",
        labels: ["version"]
    )

    package static let brokerUp = MetricDescriptor(
        "aladdin_broker_up",
        .gauge,
        help: "1 if the broker's admin endpoint answered this scrape, 0 if not."
    )

    package static let brokerUptime = MetricDescriptor(
        "aladdin_broker_uptime_seconds",
        .gauge,
        help: "Time since the broker started."
    )

    package static let frontendSessions = MetricDescriptor(
        "aladdin_frontend_sessions",
        .gauge,
        help: "Clients and gateways connected to the broker."
    )

    package static let schedulerUp = MetricDescriptor(
        "aladdin_scheduler_up",
        .gauge,
        help: "1 if a scheduler decides, 0 if the broker places queries itself."
    )

    package static let schedulerDecisions = MetricDescriptor(
        "aladdin_scheduler_decisions_total",
        .counter,
        help: "Decisions of the scheduler."
    )

    package static let schedulerDecisionTime = MetricDescriptor(
        "aladdin_scheduler_decision_seconds",
        .gauge,
        help: "Percentiles of the time that recent decisions took.",
        labels: ["percentile"]
    )

    package static let defaultObjective = MetricDescriptor(
        "aladdin_default_objective_seconds",
        .gauge,
        help: "The objective of queries that name none: ttft or atgt.",
        labels: ["quantity"]
    )

    package static let modelWorkers = MetricDescriptor(
        "aladdin_model_workers",
        .gauge,
        help: "Workers that serve a model.",
        labels: modelLabels
    )

    package static let modelQueued = MetricDescriptor(
        "aladdin_model_queued_queries",
        .gauge,
        help: "Queries that are accepted and on no worker yet.",
        labels: modelLabels
    )

    package static let modelRunning = MetricDescriptor(
        "aladdin_model_running_queries",
        .gauge,
        help: "Queries that are on a worker.",
        labels: modelLabels
    )

    package static let modelQueries = MetricDescriptor(
        "aladdin_model_queries_total",
        .counter,
        help: "Queries that ended, by outcome: completed, failed, cancelled or refused.",
        labels: modelLabels + ["outcome"]
    )

    package static let modelRetries = MetricDescriptor(
        "aladdin_model_retries_total",
        .counter,
        help: "Attempts beyond the first.",
        labels: modelLabels
    )

    package static let modelOutputTokens = MetricDescriptor(
        "aladdin_model_output_tokens_total",
        .counter,
        help: "Output tokens of queries that have ended, as told to their clients.",
        labels: modelLabels
    )

    package static let modelWastedTokens = MetricDescriptor(
        "aladdin_model_wasted_tokens_total",
        .counter,
        help: "Output tokens computed for queries that had ended: cancelled, left, or past their deadline.",
        labels: modelLabels
    )

    package static let modelAttainment = MetricDescriptor(
        "aladdin_model_attainment_ratio",
        .gauge,
        help: "Share of recently finished queries that met both objectives.",
        labels: modelLabels
    )

    package static let modelTimeToFirstToken = MetricDescriptor(
        "aladdin_model_ttft_seconds",
        .gauge,
        help: "Percentiles of the time to the first token of recent queries, from their arrival at the broker.",
        labels: modelLabels + ["percentile"]
    )

    package static let modelTokenTime = MetricDescriptor(
        "aladdin_model_atgt_seconds",
        .gauge,
        help: "Percentiles of the mean gap between tokens of recent queries.",
        labels: modelLabels + ["percentile"]
    )

    /// The workers of one phase; role `both` where all do both.
    private static let fleetLabels = modelLabels + ["role"]

    package static let modelRoleWorkers = MetricDescriptor(
        "aladdin_model_role_workers",
        .gauge,
        help: "Workers that serve a model, by the phase of queries that they are for: prefill, decode or both.",
        labels: fleetLabels
    )

    package static let handovers = MetricDescriptor(
        "aladdin_handovers_total",
        .counter,
        help: "KV caches that workers left for others to go on with.",
        labels: modelLabels
    )

    package static let failedHandovers = MetricDescriptor(
        "aladdin_handovers_failed_total",
        .counter,
        help: "KV caches that could not be left, or did not arrive; their queries were computed as a whole.",
        labels: modelLabels
    )

    package static let handoverBytes = MetricDescriptor(
        "aladdin_handover_bytes_total",
        .counter,
        help: "Bytes of KV caches that workers left for others.",
        labels: modelLabels
    )

    package static let fleetWanted = MetricDescriptor(
        "aladdin_fleet_wanted_workers",
        .gauge,
        help: "Workers that the scheduler wishes for.",
        labels: fleetLabels
    )

    package static let fleetActive = MetricDescriptor(
        "aladdin_fleet_active_workers",
        .gauge,
        help: "Workers that serve, as the scheduler counts them.",
        labels: fleetLabels
    )

    package static let fleetStarting = MetricDescriptor(
        "aladdin_fleet_starting_workers",
        .gauge,
        help: "Workers that were wished for and have not come yet.",
        labels: fleetLabels
    )

    package static let fleetOfferedLoad = MetricDescriptor(
        "aladdin_fleet_offered_load_workers",
        .gauge,
        help: "Workers that what arrives keeps busy.",
        labels: fleetLabels
    )

    package static let fleetGPUsPerWorker = MetricDescriptor(
        "aladdin_fleet_wanted_gpus_per_worker",
        .gauge,
        help: "GPUs that the scheduler wishes each worker to have; 0 for workers without.",
        labels: fleetLabels
    )

    package static let fleetReason = MetricDescriptor(
        "aladdin_fleet_wish_reason",
        .gauge,
        help: "Always 1; the label tells why the scheduler wishes for as many workers as it does.",
        labels: fleetLabels + ["reason"]
    )
}
