package import ServingModel

/// What a scaling policy sees of a fleet of workers for one model, once a tick (a second).
///
/// Counts and sums are those since the last tick unless they say otherwise; levels are as of now.
package struct FleetObservation: Sendable {
    // The workers.
    package var activeWorkers = 0
    package var startingWorkers = 0
    package var drainingWorkers = 0
    /// How long those took to start that became active.
    package var startUpTimes: [Interval] = []

    // What arrived.
    package var arrivedQueries = 0
    package var arrivedInputTokens = 0
    /// Work of what arrived, `Σ E[W]`, in worker-seconds: see `OfferedWork`.
    package var offeredWork = 0.0
    /// Workers that a worker-second per second needs: 1/(1 − c3/T), see `MeanFieldCapacity`.
    package var workersPerWork = 1.0
    /// r* of the paper for the present lengths: queries per second that a worker serves; nil if not computed.
    package var ratePerWorker: Double?

    // What is there.
    /// Held by the scheduler or in a worker's queue, without a first token.
    package var waitingQueries = 0
    /// Their work in worker-seconds.
    package var waitingWork = 0.0
    package var runningQueries = 0
    /// Mean share of the KV cache in use over active workers.
    package var kvUse = 0.0
    /// Mean sequences decoding on an active worker.
    package var meanBatch = 0.0

    // What was done.
    package var prefillTokens = 0
    package var decodeTokens = 0
    package var finishedQueries = 0
    package var finishedOutputTokens = 0
    /// Mean TTFT of the answers that began; nil if none did.
    package var meanFirstTokenSeconds: Double?
    /// Mean time between a running answer's tokens; nil if there were none.
    package var meanTokenSeconds: Double?
    /// Share of the queries that ended in the last window and met their objectives; nil if none ended.
    package var attainment: Double?

    package init() {}

    /// Workers that serve or are about to.
    package var committedWorkers: Int { activeWorkers + startingWorkers }
}
