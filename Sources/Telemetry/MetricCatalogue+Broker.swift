internal import ServingModel

/// What the broker counts and measures itself, since it started.
extension MetricCatalogue {
    private static let byClass = ["model", "class"]
    private static let byTenant = ["model", "tenant", "class"]
    /// A family of histograms in a page of metrics is at most this many times a score of lines.
    private static let maximumHistograms = 60

    package static let brokerQueries = MetricDescriptor(
        "aladdin_broker_live_queries",
        .gauge,
        help: "Queries that are accepted and have not ended."
    )

    package static let brokerRequestBytes = MetricDescriptor(
        "aladdin_broker_request_bytes",
        .gauge,
        help: "Bytes of the requests of queries that have not ended."
    )

    package static let brokerOutputBytes = MetricDescriptor(
        "aladdin_broker_output_bytes",
        .gauge,
        help: "Bytes of the answers, so far, of queries that have not ended."
    )

    package static let queryTimeToFirstToken = histogram(
        "aladdin_query_ttft_seconds",
        Distribution.waitBounds,
        "From the arrival of a completed query at the broker to its first token.",
        byClass
    )

    package static let queryTokenTime = histogram(
        "aladdin_query_atgt_seconds",
        Distribution.tokenTimeBounds,
        "Mean gap between a completed query's tokens after the first.",
        byClass
    )

    package static let queryDuration = histogram(
        "aladdin_query_duration_seconds",
        Distribution.waitBounds,
        "From the arrival of a completed query at the broker to its end.",
        byClass
    )

    package static let queryQueueWait = histogram(
        "aladdin_query_queue_wait_seconds",
        Distribution.waitBounds,
        "From a query's arrival at the broker to the first time that a worker pulled it.",
        ["model"]
    )

    package static let modelPromptTokens = MetricDescriptor(
        "aladdin_model_prompt_tokens_total",
        .counter,
        help: "Prompt tokens of queries that have ended, as far as they were counted.",
        labels: ["model"]
    )

    package static let modelRefusals = MetricDescriptor(
        "aladdin_model_refusals_total",
        .counter,
        help: "Queries that were not accepted, by reason.",
        labels: ["model", "reason"]
    )

    package static let modelFailures = MetricDescriptor(
        "aladdin_model_failures_total",
        .counter,
        help: "Queries that failed, by reason.",
        labels: ["model", "reason"]
    )

    package static let tenantQueries = MetricDescriptor(
        "aladdin_tenant_queries_total",
        .counter,
        help: """
            Queries by how they came out: met or missed their objectives, failed, cancelled, refused, or invalid. Those \
            that met them are the goodput.
            """,
        labels: byTenant + ["result"],
        maximumSeries: 4000
    )

    package static let tenantOutputTokens = MetricDescriptor(
        "aladdin_tenant_output_tokens_total",
        .counter,
        help: "Output tokens of queries that have ended.",
        labels: byTenant,
        maximumSeries: 800
    )

    package static let tenantOutputTokensInTime = MetricDescriptor(
        "aladdin_tenant_good_output_tokens_total",
        .counter,
        help: "Output tokens of queries that met both objectives.",
        labels: byTenant,
        maximumSeries: 800
    )

    package static let leasesGranted = MetricDescriptor(
        "aladdin_leases_granted_total",
        .counter,
        help: "Queries handed to workers, each time that one is.",
        labels: ["model"]
    )

    package static let leasesEnded = MetricDescriptor(
        "aladdin_leases_ended_total",
        .counter,
        help: "Leases by what became of them: completed, failed, lost, returned, cancelled or expired.",
        labels: ["model", "outcome"],
        maximumSeries: 600
    )

    package static let stepTime = histogram(
        "aladdin_step_seconds",
        Distribution.tokenTimeBounds,
        "How long engines' steps took.",
        ["model"]
    )

    package static let stepDecodeSequences = histogram(
        "aladdin_step_decode_sequences",
        Distribution.sizeBounds,
        "Sequences that decode in a step, of steps in which any does.",
        ["model"]
    )

    package static let stepPrefillTokens = histogram(
        "aladdin_step_prefill_tokens",
        Distribution.sizeBounds,
        "Prompt tokens in a step, of steps in which there are any.",
        ["model"]
    )

    package static let journalCommitTime = histogram(
        "aladdin_journal_commit_seconds",
        Distribution.syncBounds,
        "How long groups of records took to become durable, written and synced.",
        []
    )

    package static let journalCommitRecords = histogram(
        "aladdin_journal_commit_records",
        Distribution.sizeBounds,
        "Records in such a group.",
        []
    )

    package static let journalPending = MetricDescriptor(
        "aladdin_journal_pending_records",
        .gauge,
        help: "Records that wait to become durable."
    )

    private static func histogram(
        _ name: String,
        _ bounds: [Double],
        _ help: String,
        _ labels: [String]
    ) -> MetricDescriptor {
        MetricDescriptor(
            name,
            .histogram(bounds: bounds),
            help: help,
            labels: labels,
            maximumSeries: maximumHistograms
        )
    }
}
