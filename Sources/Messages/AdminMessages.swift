package import ServingModel

/// The answer to `GetStatus`: the cluster at one moment, as the broker sees it.
package struct ClusterStatus: Hashable, Sendable {
    package var broker = ""
    package var version = ""
    package var uptime = Interval.zero
    /// Empty while no scheduler is connected.
    package var policy = ""
    package var decisions: UInt64 = 0
    package var decisionP50Microseconds = 0.0
    package var decisionP99Microseconds = 0.0
    package var workers: [WorkerStatus] = []
    package var models: [ModelStatus] = []
    package var frontendSessions = 0
    /// Over all queries.
    package var predictions = PredictionErrors()
    /// What the scheduler wishes for, by model; empty if it does not scale.
    package var fleets: [FleetWish] = []
    /// What a query gets that names no objective; nil from a broker that does not say.
    package var objective: ServiceLevelObjective?
    /// What the broker counts and measures beyond all that, in Prometheus' text format; empty unless asked for.
    package var metrics = ""

    package init() {}
}

package struct WorkerStatus: Hashable, Sendable {
    package var worker: WorkerID
    package var name: String
    package var engine: String
    package var isDraining = false
    /// The phase of queries that it is for.
    package var role = WorkerRole.both
    package var queued = 0
    package var waiting = 0
    package var running = 0
    package var freeKVTokens = 0
    package var queriesCompleted: UInt64 = 0
    package var outputTokens: UInt64 = 0
    package var stepError = 0.0
    package var stepBias = 0.0
    package var steps: UInt64 = 0
    package var lastStepAge = Interval.zero
    /// Of the queries that it answered.
    package var predictions = PredictionErrors()
    package var profile: LatencyProfile

    package init(worker: WorkerID, name: String, engine: String, profile: LatencyProfile) {
        self.worker = worker
        self.name = name
        self.engine = engine
        self.profile = profile
    }
}

package struct ModelStatus: Hashable, Sendable {
    package var model: String
    package var workers = 0
    package var queued = 0
    package var running = 0
    package var completed: UInt64 = 0
    package var failed: UInt64 = 0
    package var cancelled: UInt64 = 0
    package var refused: UInt64 = 0
    package var retried: UInt64 = 0
    package var outputTokens: UInt64 = 0
    /// Reported for queries that had ended already; not among `outputTokens`.
    package var wastedTokens: UInt64 = 0
    /// KV caches that workers left for others, those of them that did not arrive, and their bytes.
    package var handovers: UInt64 = 0
    package var failedHandovers: UInt64 = 0
    package var handoverBytes: UInt64 = 0
    /// Share of recently finished queries that met their objectives, 0…1.
    package var attainment = 0.0
    package var timeToFirstToken = LatencySummary()
    package var averageTokenTime = LatencySummary()
    package var predictions = PredictionErrors()

    package init(model: String) {
        self.model = model
    }
}

/// Quantiles over recent queries, in milliseconds.
package struct LatencySummary: Hashable, Sendable {
    package var p50Milliseconds = 0.0
    package var p90Milliseconds = 0.0
    package var p99Milliseconds = 0.0
    package var count: UInt64 = 0

    package init() {}
}
