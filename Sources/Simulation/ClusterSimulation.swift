internal import Batching
internal import HeapModule
package import ServingModel

/// A fleet of simulated workers and a dispatch policy, replaying a trace in virtual time.
///
/// At each instant at which something happens, in this order:
///
/// 1. steps that end are completed, lower worker index first;
/// 2. queries whose way to a worker ends join its queue;
/// 3. queries that arrive are placed or held, in trace order, then held ones may be placed;
/// 4. workers that were touched and are not busy start a step, lower index first.
///
/// So an arrival at the very end of a step can be part of the next one. Nothing is drawn at random: the same inputs give
/// the same records to the nanosecond. Source: the worker model, "Event order".
package struct ClusterSimulation {
    package let mode: BatchingMode
    /// From the decision to the worker's queue.
    package let dispatchDelay: Interval
    package private(set) var workers: [SimulatedWorker]
    package private(set) var policy: any DispatchPolicy
    /// The instant that was last worked off.
    package private(set) var now = Instant.zero

    private var queries: [QueryProgress]
    private var fleet: FleetState
    /// Queries of the trace that have arrived.
    private var arrived = 0
    private var dispatches = 0
    private var stepEnds = Heap<StepEnd>()
    private var deliveries = Heap<Delivery>()
    /// Workers that something happened to at this instant; may name one twice.
    private var touched: [Int] = []

    /// A simulation at its start.
    ///
    /// - Parameters:
    ///   - profiles: one for each worker, valid.
    ///   - mode: of every worker's batching.
    ///   - queries: in order of arrival; each must fit into the KV cache of the worker it is placed on.
    ///   - policy: places the queries.
    ///   - dispatchDelay: from the decision to the worker's queue.
    package init(
        profiles: [LatencyProfile],
        mode: BatchingMode,
        queries: [SimulatedQuery],
        policy: any DispatchPolicy,
        dispatchDelay: Interval = .zero
    ) {
        precondition(zip(queries, queries.dropFirst()).allSatisfy { $0.arrival <= $1.arrival }, "not in trace order")
        precondition(dispatchDelay >= .zero)
        self.mode = mode
        self.dispatchDelay = dispatchDelay
        self.policy = policy
        workers = profiles.map { SimulatedWorker(profile: $0, mode: mode) }
        fleet = FleetState(workers: profiles.count)
        self.queries = queries.map(QueryProgress.init)
    }

    /// What became of each query so far, in trace order.
    package var records: [QueryRecord] { queries.map(\.record) }

    /// Replays the trace to its end: until nothing more can happen.
    package mutating func run() {
        while advance() {}
    }

    /// Works off the next instant at which something happens; false if nothing more can happen.
    package mutating func advance() -> Bool {
        guard let next = nextEvent else { return false }
        now = next
        completeSteps()
        deliver()
        placeArrivals()
        startSteps()
        return true
    }

    private var nextEvent: Instant? {
        var next: Instant?
        func consider(_ time: Instant?) {
            if let time { next = min(next ?? time, time) }
        }
        consider(stepEnds.min?.time)
        consider(deliveries.min?.time)
        consider(arrived < queries.count ? queries[arrived].query.arrival : nil)
        return next
    }

    private mutating func completeSteps() {
        while let end = stepEnds.min, end.time == now {
            stepEnds.removeMin()
            fleet.unfinishedQueries[end.worker] -= workers[end.worker].completeStep(at: now, &queries)
            touched.append(end.worker)
        }
    }

    private mutating func deliver() {
        while let delivery = deliveries.min, delivery.time == now {
            deliveries.removeMin()
            enqueue(delivery.query, on: delivery.worker)
        }
    }

    private mutating func placeArrivals() {
        while arrived < queries.count, queries[arrived].query.arrival == now {
            let query = arrived
            arrived += 1
            if let worker = policy.place(query, at: now, fleet: fleet) { dispatch(query, to: worker) }
        }
        for placement in policy.placeHeld(at: now, fleet: fleet) {
            dispatch(placement.query, to: placement.worker)
        }
    }

    private mutating func dispatch(_ query: Int, to worker: Int) {
        precondition(queries[query].record.worker == nil, "query \(query) was placed before")
        queries[query].record.worker = worker
        queries[query].record.dispatched = now
        fleet.unfinishedQueries[worker] += 1
        guard dispatchDelay > .zero else { return enqueue(query, on: worker) }
        deliveries.insert(Delivery(time: now + dispatchDelay, dispatch: dispatches, query: query, worker: worker))
        dispatches += 1
    }

    private mutating func enqueue(_ query: Int, on worker: Int) {
        workers[worker].enqueue(query, queries[query].query)
        touched.append(worker)
    }

    private mutating func startSteps() {
        touched.sort()
        for worker in touched where !workers[worker].isBusy {
            guard let duration = workers[worker].startStep(&queries) else { continue }
            stepEnds.insert(StepEnd(time: now + duration, worker: worker))
        }
        touched.removeAll(keepingCapacity: true)
    }
}

extension ClusterSimulation {
    /// Checks every worker, and that each query is in exactly one place; traps otherwise.
    ///
    /// Complexity: O(queries).
    package func checkInvariants() {
        for worker in workers { worker.batch.checkInvariants() }
        var unfinished = Array(repeating: 0, count: workers.count)
        for (index, query) in queries.enumerated() {
            precondition(index < arrived || query.record.worker == nil, "query \(index) was placed before it came")
            guard let worker = query.record.worker, query.record.finish == nil else { continue }
            unfinished[worker] += 1
        }
        precondition(unfinished == fleet.unfinishedQueries, "unfinished queries are miscounted")
        var underway = Array(repeating: 0, count: workers.count)
        for delivery in deliveries.unordered { underway[delivery.worker] += 1 }
        for (index, worker) in workers.enumerated() {
            precondition(worker.batch.count + underway[index] == unfinished[index], "worker \(index) lost a query")
        }
        precondition(stepEnds.count == workers.count(where: \.isBusy), "a busy worker has no end of step, or two")
    }
}
