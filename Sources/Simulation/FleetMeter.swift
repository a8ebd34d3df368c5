internal import Batching
internal import Scheduling
internal import ServingModel

/// Counts what a scaling policy is shown of a simulated fleet.
struct FleetMeter: Sendable {
    private let capacity: MeanFieldCapacity
    private let ratePerWorker: Double?
    /// Ticks over which attainment is taken.
    private let window: Int

    private var observation = FleetObservation()
    private var firstTokens = (count: 0, seconds: 0.0)
    /// Time of the steps, for each sequence that was running.
    private var runningSeconds = 0.0
    private var ends = (met: 0, count: 0)
    private var recentEnds: [(met: Int, count: Int)] = []

    init(capacity: MeanFieldCapacity, ratePerWorker: Double?, window: Int) {
        self.capacity = capacity
        self.ratePerWorker = ratePerWorker
        self.window = window
    }

    mutating func noteArrival(of query: SimulatedQuery, lengths: LengthHistory) {
        observation.arrivedQueries += 1
        observation.arrivedInputTokens += query.inputTokens
        observation.offeredWork += expectedWork(inputTokens: query.inputTokens, query.tenant, lengths)
    }

    mutating func note(_ step: SimulatedWorker.StepOutcome, _ queries: [QueryProgress], at now: Instant) {
        observation.prefillTokens += step.workload.prefillTokens
        observation.decodeTokens += step.workload.decodeSequences
        runningSeconds += step.duration.seconds * Double(step.running)
        for query in step.started where queries[query].record.firstToken == now {
            firstTokens.count += 1
            firstTokens.seconds += (now - queries[query].query.arrival).seconds
        }
    }

    mutating func noteEnd(of progress: QueryProgress) {
        observation.finishedQueries += 1
        observation.finishedOutputTokens += progress.query.outputTokens
        ends.count += 1
        guard let first = progress.record.firstToken, let last = progress.record.finish else { return }
        let isMet = progress.query.objective.isMet(
            arrival: progress.query.arrival,
            firstToken: first,
            lastToken: last,
            outputTokens: progress.query.outputTokens
        )
        if isMet { ends.met += 1 }
    }

    mutating func noteStartUp(_ time: Interval) {
        observation.startUpTimes.append(time)
    }

    /// Takes the levels of this moment.
    ///
    /// - Parameter present: which of the workers have not gone.
    mutating func noteLevels(
        of view: ClusterView,
        _ workers: [SimulatedWorker],
        among present: [Int],
        _ fleet: FleetTimeline.Step
    ) {
        observation.activeWorkers = fleet.active
        observation.startingWorkers = fleet.starting
        observation.drainingWorkers = fleet.draining
        var (running, runningOnActive, use) = (0, 0, 0.0)
        for worker in present {
            let count = workers[worker].batch.runningCount
            running += count
            guard workers[worker].state == .active else { continue }
            runningOnActive += count
            let (free, total) = (workers[worker].batch.blocks.free, workers[worker].batch.blocks.total)
            use += 1 - Double(free) / Double(max(1, total))
        }
        observation.runningQueries = running
        if fleet.active > 0 {
            observation.kvUse = use / Double(fleet.active)
            observation.meanBatch = Double(runningOnActive) / Double(fleet.active)
        }
        let held = Array(view.unplaced) + Array(view.deferred)
        for entry in held where !entry.hasStarted { noteWaiting(entry.prefillTokens, view.lengths) }
        for entry in view.workers.lazy.flatMap(\.waiting) where entry.deadline != .distantFuture {
            noteWaiting(entry.prefillTokens, view.lengths)
        }
    }

    /// What was observed since the last time.
    mutating func takeObservation() -> FleetObservation {
        var result = observation
        if firstTokens.count > 0 { result.meanFirstTokenSeconds = firstTokens.seconds / Double(firstTokens.count) }
        if result.decodeTokens > 0 { result.meanTokenSeconds = runningSeconds / Double(result.decodeTokens) }
        recentEnds.append(ends)
        if recentEnds.count > window { recentEnds.removeFirst() }
        let (met, count) = recentEnds.reduce((0, 0)) { ($0.0 + $1.met, $0.1 + $1.count) }
        if count > 0 { result.attainment = Double(met) / Double(count) }
        result.workersPerWork = capacity.soldShare > 0 ? 1 / capacity.soldShare : 1
        result.ratePerWorker = ratePerWorker
        observation = FleetObservation()
        firstTokens = (0, 0)
        runningSeconds = 0
        ends = (0, 0)
        return result
    }

    private mutating func noteWaiting(_ inputTokens: Int, _ lengths: LengthHistory) {
        observation.waitingQueries += 1
        observation.waitingWork += expectedWork(inputTokens: inputTokens, "", lengths)
    }

    /// Tenants' and buckets' own lengths would say more of a query; all together they say enough of a fleet.
    private func expectedWork(inputTokens: Int, _ tenant: String, _ lengths: LengthHistory) -> Double {
        let survival = lengths.survival(model: capacity.profile.model, inputTokens: inputTokens, tenant: tenant)
        return capacity.work.expectedSeconds(inputTokens: inputTokens, survival: survival)
    }
}
