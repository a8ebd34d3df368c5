internal import Batching
internal import Brokering
internal import HeapModule
package import Scheduling
package import ServingModel

/// Workers and the production scheduler in virtual time, stepped from one event to the next.
///
/// At an instant, in this order:
/// 1. steps that end are completed, lower worker index first;
/// 2. dispatched queries whose delay is over join their queues, and queries whose KV cache has been moved to the decode
///    side reach the scheduler;
/// 3. workers fail, begin to drain or have started up;
/// 4. arrivals reach the scheduler in trace order, the fleet is scaled, and the scheduler places what it likes;
/// 5. workers that something happened to, and that have no step in progress, start one, lower index first.
///
/// So an arrival at the very end of a step can be part of the next one. Nothing is drawn at random but what the policy
/// and the noise of step times draw from their seeds: the same inputs give the same records to the nanosecond. Source:
/// the worker model, "Event order".
package struct ClusterSimulation {
    package let configuration: Configuration
    /// All there ever were, by index; one that left keeps its place.
    package internal(set) var workers: [SimulatedWorker] = []
    package internal(set) var scheduler: Scheduler
    /// The instant that was last worked off.
    package internal(set) var now = Instant.zero
    /// How many workers there were, and when.
    package internal(set) var fleet = FleetTimeline()
    /// Nanoseconds that decisions took, by the configuration's stopwatch; of each round that placed something, over its placements.
    package internal(set) var decisionTimes: [UInt64] = []
    /// Nanoseconds that the scheduler took to hear of arrivals and to decide, rounds that placed nothing included.
    package internal(set) var schedulingTime: UInt64 = 0
    /// How often the stopwatch was read for that, from beginning to end.
    package internal(set) var timedCalls = 0

    /// Of a worker of the fleet: what queries ask for.
    let model: String
    /// Tokens that a prompt and its answer may have together: what the largest worker's KV cache holds.
    let contextLength: Int
    var queries: [QueryProgress]
    /// Queries that have not ended, those to come included.
    var unended: Int
    /// Queries with an arrival of their own, in order, and how many of them have arrived.
    let openArrivals: [Int]
    var arrived = 0
    /// Queries whose predecessor has ended, by their arrival.
    var releases = Heap<TimedQuery>()
    /// The query that follows each in its conversation, if one does.
    let successors: [Int: Int]

    var dispatches = 0
    var stepEnds = Heap<StepEnd>()
    var deliveries = Heap<Delivery>()
    /// When the scheduler wants to be asked again.
    var lookAgain: Instant?
    /// Workers that something happened to at this instant; may name one twice.
    var touched: [Int] = []
    /// Those of the instant that was last worked off; may name one twice.
    package internal(set) var lastTouched: [Int] = []

    var prefillPool: PrefillPool?
    /// Workers that start, serve or drain, and how many of each there are.
    var present: [Int] = []
    var levels = FleetTimeline.Step(time: .zero, active: 0, starting: 0, draining: 0, prefilling: 0)
    var fleetEvents = Heap<FleetEvent>()
    var fleetEventCount = 0
    var scaler: FleetScaler?
    var admission: AdmissionControl?

    /// A simulation at its start.
    ///
    /// - Parameters:
    ///   - profiles: one for each worker, valid; in split-phase serving the decode workers'.
    ///   - believed: what the workers register with, if that is not how fast they are; one for each.
    ///   - queries: in order of arrival, but for those that follow another.
    ///   - scheduler: fresh.
    package init(
        profiles: [LatencyProfile],
        believed: [LatencyProfile]? = nil,
        queries: [SimulatedQuery],
        scheduler: Scheduler,
        configuration: Configuration
    ) {
        self.configuration = configuration
        self.scheduler = scheduler
        self.queries = queries.map(QueryProgress.init)
        unended = queries.count
        openArrivals = queries.indices.filter { queries[$0].predecessor == nil }
        successors = Self.successors(in: queries)
        precondition(
            zip(openArrivals, openArrivals.dropFirst()).allSatisfy { queries[$0].arrival <= queries[$1].arrival },
            "not in trace order"
        )
        let known = Self.knownProfiles(believed ?? profiles, configuration)
        model = known[0].model
        contextLength = known.reduce(0) { max($0, $1.kvCache.capacityTokens) }
        prefillPool = configuration.split.map { PrefillPool($0, noise: configuration.stepTimeNoise) }
        scaler = configuration.scaling.map { FleetScaler($0, prototype: profiles.first) }
        admission = configuration.admission.map { AdmissionControl(settings: $0) }
        precondition(
            configuration.admission == nil || configuration.split == nil,
            "admission control knows workers that prefill and decode"
        )
        precondition(believed.map { $0.count == profiles.count } ?? true, "one belief for each worker")
        for (index, profile) in profiles.enumerated() {
            addWorker(profile, believed: believed?[index] ?? profile, state: .active)
        }
        for worker in workers.indices { announce(worker) }
        self.scheduler.apply(.snapshotComplete, at: .zero)
        for change in configuration.changes { schedule(.change(change.action), at: change.time) }
        noteFleet()
    }

    /// Of the workers that there are or will be; at least one.
    private static func knownProfiles(_ workers: [LatencyProfile], _ configuration: Configuration) -> [LatencyProfile] {
        let started = configuration.changes.compactMap {
            if case .start(let profile, _) = $0.action { profile } else { nil }
        }
        let scaled = configuration.scaling?.profile.map { [$0] } ?? []
        let all = workers + scaled + started
        precondition(!all.isEmpty, "there is no worker, nor will there be one")
        return all
    }

    /// What became of each query so far, in trace order.
    package var records: [QueryRecord] { queries.map(\.record) }

    /// The share of all prompt tokens that workers had in their KV caches, and did not compute; 0 if they keep none.
    ///
    /// What a worker that died had saved is not counted.
    package var cachedPromptShare: Double {
        let cached = workers.reduce(0) { $0 + $1.batch.cachedTokens }
        guard cached > 0 else { return 0 }
        return Double(cached) / Double(queries.reduce(0) { $0 + $1.query.inputTokens })
    }

    /// Replays the trace to its end: until nothing more can happen.
    package mutating func run() {
        while advance() {}
    }

    /// Works off the next instant at which something happens; false if nothing more can happen.
    package mutating func advance() -> Bool {
        guard let next = nextEvent else { return false }
        now = next
        completeSteps()
        if prefillPool != nil { completePrefills() }
        deliver()
        if !fleetEvents.isEmpty { changeFleet() }
        hearArrivals()
        if scaler != nil { scale() }
        decide()
        startSteps()
        return true
    }

    private var nextEvent: Instant? {
        var next = Instant.distantFuture
        if let end = stepEnds.min { next = min(next, end.time) }
        if let delivery = deliveries.min { next = min(next, delivery.time) }
        if arrived < openArrivals.count { next = min(next, queries[openArrivals[arrived]].query.arrival) }
        if let release = releases.min { next = min(next, release.time) }
        if let lookAgain { next = min(next, max(lookAgain, now + Interval(nanoseconds: 1))) }
        if let time = prefillPool?.nextEvent { next = min(next, time) }
        if let event = fleetEvents.min { next = min(next, event.time) }
        if unended > 0, let tick = scaler?.nextTick { next = min(next, tick) }
        return next == .distantFuture ? nil : next
    }
}

extension WorkerID {
    init(index: Int) { self.init(rawValue: UInt64(index)) }
}

extension QueryNumber {
    init(index: Int) { self.init(rawValue: UInt64(index)) }
}
