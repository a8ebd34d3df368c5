package import RecordTables
package import ServingModel

/// What the scheduler believes of the cluster, rebuilt from events alone.
///
/// Workers are named by their position in `workers` within one decision (a slot); positions move when a worker leaves.
package struct ClusterView: Sendable {
    /// In the order in which they joined.
    package internal(set) var workers: [WorkerView] = []
    package internal(set) var queries = RecordTable<QueryNumber, QueryView>()
    /// Waiting to be placed, the earliest deadline first.
    package internal(set) var unplaced = DeadlineQueue()
    /// Waiting to be placed without hope for their TTFT objective, in the order in which it was given up.
    package internal(set) var deferred = DeferredQueue()
    package internal(set) var promptLengths = PromptLengthEstimator()
    /// Output lengths of queries that finished.
    package var lengths = LengthHistory()
    /// Whether workers' latency models follow the times of their steps; otherwise they stay as registered.
    package var learnsStepTimes = true
    /// Whether placements are to carry the reasons for them.
    package var wantsExplanations = false

    /// Which workers hold which beginnings of prompts.
    package internal(set) var prefixes = PrefixHoldings()

    /// What was known of workers' step times before the snapshot that is under way.
    var learntSteps: [WorkerID: StepTimeEstimator] = [:]
    var slots: [WorkerID: Int] = [:]
    /// Workers that take new queries, and where each model's are.
    var pools: [WorkerPool] = []
    var poolIndices: [PoolKey: Int] = [:]
    /// Models some worker of which is for one phase only, and the workers that are there for their prompts.
    var promptSlots: [String: [Int]] = [:]
    /// Changes whenever a worker comes, drains or goes.
    private(set) var fleetVersion: UInt64 = 0
    var recency = SlotRecency()
    /// Queries in `queries`, by model; those of models that nobody serves any more, too.
    var queriesByModel = ByModel<Int>()
    /// Slots of workers that something happened to since the last decision and that are not known to be in a step.
    package internal(set) var stepless: [Int] = []
    var prefillTime = DecayingSum(timeConstant: 10)

    package init() {}

    /// Slots of the workers that take new queries for a model, in the order in which they joined.
    package func pool(for model: String) -> [Int] {
        poolIndices[PoolKey(model: model)].map { pools[$0].slots } ?? []
    }

    /// Slots of the workers among which a policy chooses for a query; empty if it has no say, or nobody is there.
    package func pool(for query: QueryView) -> [Int] {
        // Where one model is served as a whole there is nothing to look up.
        if pools.count == 1, promptSlots.isEmpty, pools[0].model == query.queued.model { return pools[0].slots }
        return poolIndices[poolKey(of: query)].map { pools[$0].slots } ?? []
    }

    /// Models that some query is for, or some worker serves if there is none: a model's last worker may leave before its
    /// queries have ended.
    package var modelCount: Int { max(queriesByModel.count, pools.count) }

    /// Whether some worker of a model is for one phase only.
    package func isSplit(_ model: String) -> Bool { !promptSlots.isEmpty && promptSlots[model] != nil }

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
        guard workers.indices.contains(slot), let place = queries.place(of: number) else { return }
        leaveStage(at: place)
        assign(at: place, to: slot, at: now)
    }

    /// Gives up a query's TTFT objective: it waits on, but no longer among those that can be in time.
    package mutating func `defer`(_ number: QueryNumber) {
        guard let query = queries[number], case .unplaced = query.stage else { return }
        let entry = UnplacedQuery(query)
        guard unplaced.remove(entry) else { return }
        deferred.append(entry)
    }

    /// Predicts the step of every worker that has begun one; to be called when all decisions of an instant are made.
    mutating func beginSteps(at now: Instant) {
        for slot in stepless { workers[slot].beginStep(at: now) }
        stepless.removeAll(keepingCapacity: true)
    }

    /// Adds a worker at the end.
    mutating func add(_ worker: WorkerView) {
        workers.append(worker)
        // Who is for what changes with the first of a kind.
        if worker.joined.role != .both || isSplit(worker.profile.model) { return indexWorkers() }
        slots[worker.id] = workers.count - 1
        fleetVersion += 1
        let slot = workers.count - 1
        let pool = enterPool(slot)
        recency.insert(slot, workers[slot].lastPlacement, into: &pools[pool].recency)
        stepless.append(slot)
    }

    /// Finds all workers their slots and pools anew, in O(n log n).
    mutating func indexWorkers() {
        slots.removeAll(keepingCapacity: true)
        pools.removeAll()
        poolIndices.removeAll()
        recency.removeAll()
        fleetVersion += 1
        promptSlots = splitModels()
        var placed: [(time: Instant, slot: Int)] = []
        for slot in workers.indices {
            slots[workers[slot].id] = slot
            workers[slot].pool = -1
            guard !workers[slot].isDraining, isChosenByPolicies(slot) else { continue }
            enterPool(slot)
            placed.append((workers[slot].lastPlacement, slot))
        }
        // In their order each is the last of its list, where it is inserted at once.
        placed.sort { $0 < $1 }
        for (time, slot) in placed { recency.insert(slot, time, into: &pools[workers[slot].pool].recency) }
        stepless = workers.indices.filter { workers[$0].step == nil }
    }

    /// Takes a worker that drains out of its pool.
    ///
    /// - Returns: false if more than that changes: a pool comes to its end, or who is for which phase.
    mutating func leavePool(_ slot: Int) -> Bool {
        let pool = workers[slot].pool
        guard promptSlots.isEmpty, pool >= 0, pools[pool].slots.count > 1 else { return false }
        pools[pool].remove(slot, of: workers)
        recency.remove(slot, from: &pools[pool].recency)
        workers[slot].pool = -1
        fleetVersion += 1
        return true
    }

    /// - Returns: the pool, in whose list of recency the slot is still to be inserted.
    @discardableResult
    private mutating func enterPool(_ slot: Int) -> Int {
        let model = workers[slot].profile.model
        let key = PoolKey(model: model, exchange: isSplit(model) ? workers[slot].joined.kvExchange : "")
        let pool = poolIndices[key] ?? pools.count
        if pool == pools.count {
            poolIndices[key] = pool
            pools.append(WorkerPool(model: model))
        }
        workers[slot].pool = pool
        workers[slot].countedResidents = workers[slot].residents.count
        pools[pool].add(slot, workers[slot])
        return pool
    }

    /// Brings what is known of a worker's pool up to date; to be called whenever something happened to the worker.
    mutating func noteChange(of slot: Int) {
        let pool = workers[slot].pool
        guard pool >= 0 else { return }
        let residents = workers[slot].residents.count
        let change = residents - workers[slot].countedResidents
        workers[slot].countedResidents = residents
        pools[pool].noteChange(of: slot, isIdle: workers[slot].isIdle, residents: change)
    }

    /// Notes that a worker was given a query.
    mutating func notePlacement(on slot: Int, at now: Instant) {
        workers[slot].lastPlacement = now
        let pool = workers[slot].pool
        if pool >= 0 { recency.move(slot, now, in: &pools[pool].recency) }
        noteChange(of: slot)
        if workers[slot].step == nil { stepless.append(slot) }
    }
}

extension ClusterView {
    /// The slots of a pool that were given queries longest ago, the longest first.
    func leastRecent(_ count: Int, ofPool pool: Int) -> [Int] {
        recency.first(count, of: pools[pool].recency)
    }

    /// The slots of a pool with the most room for contexts, the roomiest first; those without a free place last.
    mutating func roomiest(_ count: Int, ofPool pool: Int) -> [Int] {
        pools[pool].roomiest(count, of: workers)
    }

    /// The slots of a pool whose workers have nothing to do, or to which something happened and whose step is not known.
    func idleOrStepless(inPool pool: Int) -> [Int] {
        var slots = stepless.filter { workers[$0].pool == pool }
        var next = pools[pool].idle.next(from: 0)
        while let slot = next {
            slots.append(slot)
            next = pools[pool].idle.next(from: slot + 1)
        }
        slots.sort()
        var count = 0
        for slot in slots where count == 0 || slots[count - 1] != slot {
            slots[count] = slot
            count += 1
        }
        slots.removeLast(slots.count - count)
        return slots
    }
}
