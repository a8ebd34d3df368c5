package import ServingModel

/// The bounds within which a broker works.
package struct BrokerConfiguration: Hashable, Sendable {
    /// Queries accepted and not yet ended, over all models; more are refused with `queueFull`.
    package var maximumQueries = 100_000
    /// Bytes of requests accepted and not yet ended, over all models; more are refused with `queueFull`.
    package var maximumQueuedBytes = 1 << 30
    /// Queries of one session that have not ended; as many as a gateway has connections.
    package var maximumQueriesPerSession = 16_384
    /// Output tokens that one query may ask for.
    package var maximumTokens = 131_072
    /// Bytes of output kept for one query.
    package var maximumOutputBytes = 4 << 20
    /// Output of queries that have not ended, in bytes, over all models; beyond it new queries are refused with
    /// `queueFull`.
    package var maximumSpooledBytes = 1 << 30
    /// Refuses queries that could not be served within their objective; nil accepts them all.
    package var admission: AdmissionSettings? = AdmissionSettings()
    /// Whether it does now; what it would need to know is kept up to date either way.
    package var refusesByPrediction = true
    /// Whether that includes queries that name no objective: what they get is a default, not a condition.
    package var admissionCoversAll = false
    /// Executions of one query, the first included; those do not count that a broker's end cut short, that a worker left in
    /// good order, or that were lost with a worker without the query being to blame.
    package var maximumAttempts = 3
    /// Workers that may be lost while they run a query that gets no further, and nothing else that may be why, before it
    /// is given up as their cause.
    package var maximumWorkersLost = 2
    /// Workers that may be lost with a query without it being to blame.
    package var maximumLosses = 16
    /// How long a query that may be why a worker was lost waits for a worker that runs no other such query.
    package var suspectPatience = Interval.seconds(10)
    /// Brokers that may find a query unfinished before it is given up.
    package var maximumRestarts = 16
    /// The pause before the second repetition of a query; the first follows at once.
    ///
    /// It doubles with each, up to `retryPauseLimit`, and varies by a fifth.
    package var retryPause = Interval.seconds(1)
    package var retryPauseLimit = Interval.seconds(60)
    /// A worker that holds leases and reports nothing for so long hangs: it is expelled and its queries run elsewhere.
    package var enginePatience = Interval.seconds(120)
    /// A `stream` query's tokens are written down at the latest when so many are new, or the oldest of them so old.
    package var checkpointTokens = 64
    package var checkpointInterval = Interval.milliseconds(250)
    /// Calls that wait for an answer of the journal at once.
    package var maximumLookups = 1024
    /// Prompts are opaque bytes to the broker, this many at most.
    package var maximumRequestBytes = 4 << 20
    /// What a query gets that names no objective.
    package var objective = ServiceLevelObjective.standard
    /// Objectives by the names that queries may call them by.
    package var objectiveClasses: [String: ServiceLevelObjective] = [:]
    /// Where this broker stands among several shards; nil if it serves whoever comes.
    package var shard: ShardMembership?
    /// How long queries wait for the first worker of a model that was served before.
    package var noWorkerPatience = Interval.seconds(30)
    /// The same for queries that are written down: their clients may come back for the result.
    package var durableNoWorkerPatience = Interval.seconds(600)
    /// How long it is remembered that the journal may know a name: longer than it keeps ended queries.
    package var nameRetention = Interval.seconds(25 * 3600)
    /// Names that came last and are known for certain to have come, however long ago: twice the results that the journal
    /// keeps, and those of queries under way.
    package var nameCapacity = 2_100_000
    /// How long placement waits for a scheduler to come back before the plain fallback starts.
    package var schedulerGrace = Interval.seconds(2)
    /// How long, and how many, ended queries can still be attached to.
    package var resultRetention = Interval.seconds(300)
    package var maximumRetainedResults = 10_000
    package var maximumRetainedBytes = 256 << 20
    /// Placements whose explanation is kept, over all queries; the latest ones.
    package var maximumExplanations = 20_000
    /// The share of queries without a trace context that are traced; nil traces none, also of those whose clients wish it.
    package var tracedShare: Double?
    /// High 32 bits of every lease: grows with each start of the broker, so that leases never repeat.
    ///
    /// A journal's epoch takes its place.
    package var leaseEpoch: UInt32 = 1

    package init() {}
}
