/// How many workers of a model there should be, and why, as the scheduler sees it.
public struct FleetWish: Hashable, Sendable {
    public var model: String
    /// Serving or starting.
    public var workers: Int
    public var gpusPerWorker: Int
    /// One word: see `ScalingReason`.
    public var reason: String
    /// Workers that serve, and those that were wished for and are not there yet.
    public var active: Int
    public var starting: Int
    /// Workers that what arrived in the last second keeps busy.
    public var offeredLoad: Double
    /// The phase of queries that these workers are for; `both` where all do both.
    public var role = WorkerRole.both

    public init(
        model: String,
        workers: Int,
        gpusPerWorker: Int,
        reason: String,
        active: Int,
        starting: Int,
        offeredLoad: Double
    ) {
        self.model = model
        self.workers = workers
        self.gpusPerWorker = gpusPerWorker
        self.reason = reason
        self.active = active
        self.starting = starting
        self.offeredLoad = offeredLoad
    }
}
