package import ServingModel

/// What the scheduler believes of the cluster, rebuilt from events alone.
///
/// Workers are named by their position in `workers` within one decision (a slot); positions move when a worker leaves.
package struct ClusterView: Sendable {
    /// In the order in which they joined.
    package internal(set) var workers: [WorkerView] = []
    package internal(set) var queries: [QueryNumber: QueryView] = [:]
    /// Waiting to be placed, the earliest deadline first.
    package internal(set) var unplaced: [UnplacedQuery] = []
    /// Waiting to be placed without hope for their TTFT objective, in the order in which it was given up.
    package internal(set) var deferred: [UnplacedQuery] = []
    package internal(set) var promptLengths = PromptLengthEstimator()
    /// Output lengths of queries that finished.
    package var lengths = LengthHistory()
    /// Whether workers' latency models follow the times of their steps; otherwise they stay as registered.
    package var learnsStepTimes = true
    /// Whether placements are to carry the reasons for them.
    package var wantsExplanations = false

    /// What was known of workers' step times before the snapshot that is under way.
    var learntSteps: [WorkerID: StepTimeEstimator] = [:]
    var slots: [WorkerID: Int] = [:]
    /// Slots of workers that take new queries, by model.
    var pools: [String: [Int]] = [:]
    /// Queries in `queries`, by model; those of models that nobody serves any more, too.
    var queriesByModel: [String: Int] = [:]
    /// Slots of workers that something happened to since the last decision and that are not known to be in a step.
    package internal(set) var stepless: [Int] = []
    var prefillTime = DecayingSum(timeConstant: 10)

    package init() {}

    /// Slots of the workers that take new queries for a model, in the order in which they joined.
    package func pool(for model: String) -> [Int] {
        pools[model] ?? []
    }

    /// Models that some query is for, or some worker serves if there is none: a model's last worker may leave before its
    /// queries have ended.
    package var modelCount: Int { max(queriesByModel.count, pools.count) }

    package func slot(of worker: WorkerID) -> Int? {
        slots[worker]
    }

    /// The share of its time that the average worker lately spent on prefills: 0…1, over about 10 s.
    package func prefillShare(at now: Instant) -> Double {
        guard !workers.isEmpty else { return 0 }
        return min(1, prefillTime.rate(at: now) / Double(workers.count))
    }

    /// Notes a decision, so that the next one sees it; one about what is not there is void.
    package mutating func place(_ number: QueryNumber, onSlot slot: Int, at now: Instant) {
        guard workers.indices.contains(slot), queries[number] != nil else { return }
        leaveStage(number)
        assign(number, to: slot, at: now)
    }

    /// Gives up a query's TTFT objective: it waits on, but no longer among those that can be in time.
    package mutating func `defer`(_ number: QueryNumber) {
        guard let query = queries[number], case .unplaced = query.stage else { return }
        let entry = UnplacedQuery(query)
        let position = position(of: entry)
        guard position < unplaced.count, unplaced[position].number == number else { return }
        unplaced.remove(at: position)
        deferred.append(entry)
    }

    /// Predicts the step of every worker that has begun one; to be called when all decisions of an instant are made.
    mutating func beginSteps(at now: Instant) {
        for slot in stepless { workers[slot].beginStep(at: now) }
        stepless.removeAll(keepingCapacity: true)
    }

    mutating func indexWorkers() {
        slots.removeAll(keepingCapacity: true)
        pools.removeAll()
        for (slot, worker) in workers.enumerated() {
            slots[worker.id] = slot
            if !worker.isDraining { pools[worker.profile.model, default: []].append(slot) }
        }
        stepless = workers.indices.filter { workers[$0].step == nil }
    }
}
