internal import ServingModel

/// What came of one workload under one policy on one fleet.
package struct SimulationRun: Sendable {
    package let workload: StudyWorkload
    /// In trace order.
    package let records: [QueryRecord]
    /// Nanoseconds that decisions took, a query; empty without a stopwatch.
    package let decisionTimes: [UInt64]
    /// Workers times the seconds that they were there, from the load's beginning to its end.
    package let workerSeconds: Double
    package let gpuSeconds: Double
    /// The share of all prompt tokens that workers had in their KV caches and did not compute.
    package let cachedPromptShare: Double
    /// nil unless tokens were followed.
    package let lateness: TokenLateness?
    /// From moment to moment; empty unless it was followed.
    package let load: [FleetLoad]

    package init(
        workload: StudyWorkload,
        records: [QueryRecord],
        decisionTimes: [UInt64] = [],
        workerSeconds: Double,
        gpuSeconds: Double,
        cachedPromptShare: Double = 0,
        lateness: TokenLateness? = nil,
        load: [FleetLoad] = []
    ) {
        precondition(records.count == workload.queries.count)
        self.workload = workload
        self.records = records
        self.decisionTimes = decisionTimes
        self.workerSeconds = workerSeconds
        self.gpuSeconds = gpuSeconds
        self.cachedPromptShare = cachedPromptShare
        self.lateness = lateness
        self.load = load
    }

    /// Queries that count and missed their objectives.
    package var misses: Int {
        workload.counted.count { !workload.queries[$0].isMet(by: records[$0]) }
    }

    /// The share of the queries that count whose objectives were kept.
    package var attainment: Double {
        1 - Double(misses) / Double(workload.counted.count)
    }
}
