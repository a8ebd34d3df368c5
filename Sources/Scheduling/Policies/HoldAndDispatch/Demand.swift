internal import RecordTables
internal import ServingModel

/// What is asked of one model's workers in one decision.
struct Demand {
    let model: String
    let now: Instant
    /// Index of the model's workers in the view, at least one.
    let pool: Int
    let hazard: Hazard
    /// Share of their time that the fleet's workers lately spent on prefills.
    let prefillShare: Double
    /// What waits for the model in the order in which it is to be served; nil if that is the view's own queue.
    var ownOrder: ArraySlice<UnplacedQuery>?
    /// Those that wait for the worker that holds their beginning: nobody else is to take them yet.
    var held: Set<QueryNumber> = []

    /// Whether nobody is to be served before others by priority or tenant.
    var isOfOneKind: Bool {
        guard let ownOrder, let first = ownOrder.first else { return true }
        return ownOrder.allSatisfy { $0.priority == first.priority && $0.tenant == first.tenant }
    }

    func first(in view: ClusterView) -> UnplacedQuery? {
        guard held.isEmpty else { return queue(in: view).first { _ in true } }
        return if let ownOrder { ownOrder.first } else { view.unplaced.first }
    }

    /// What waits, in the order in which it is to be served.
    func queue(in view: ClusterView) -> ServingOrder {
        ServingOrder(
            own: ownOrder?.makeIterator(),
            central: ownOrder == nil ? view.unplaced.makeIterator() : nil,
            held: held
        )
    }

    /// Takes a batch off the queue; the view's own queue loses it when it is placed.
    mutating func remove(_ batch: DispatchBatch) {
        guard let queue = ownOrder else { return }
        let count = batch.queries.count
        let isPrefix = zip(queue.prefix(count), batch.queries).allSatisfy { $0.number == $1.number }
        if isPrefix {
            ownOrder?.removeFirst(count)
        } else {
            let taken = Set(batch.queries.map(\.number))
            ownOrder?.removeAll { taken.contains($0.number) }
        }
    }
}

/// A model's queue from its head on: in an order of its own, or the view's.
struct ServingOrder: Sequence, IteratorProtocol {
    fileprivate var own: ArraySlice<UnplacedQuery>.Iterator?
    fileprivate var central: DeadlineQueue.Iterator?
    /// Those to leave out.
    fileprivate var held: Set<QueryNumber>

    mutating func next() -> UnplacedQuery? {
        while let query = central != nil ? central?.next() : own?.next() {
            if held.isEmpty || !held.contains(query.number) { return query }
        }
        return nil
    }
}

extension HoldAndDispatch {
    /// The queue of each model that has workers.
    mutating func demands(in view: ClusterView, at now: Instant) -> [Demand] {
        let prefillShare = view.prefillShare(at: now)
        var demands: [Demand] = []
        for (key, queue) in queues(in: view) {
            guard let pool = view.poolIndices[key] else { continue }
            let hazard = Hazard(
                survival: view.lengths.survival(model: key.model),
                interference: settings.interference * prefillShare,
                usesHints: settings.usesHints,
                now: now
            )
            let ordered = queue.map { order($0, at: now) }
            demands.append(
                Demand(
                    model: key.model,
                    now: now,
                    pool: pool,
                    hazard: hazard,
                    prefillShare: prefillShare,
                    ownOrder: ordered
                )
            )
        }
        return demands
    }

    /// What waits for each model, nil for the view's own queue; a model for which only late queries wait has an empty one.
    private func queues(in view: ClusterView) -> [(key: PoolKey, queue: ArraySlice<UnplacedQuery>?)] {
        if view.modelCount == 1, let entry = view.unplaced.first ?? view.deferred.first {
            guard let key = view.queries[entry.number].map(view.poolKey) else { return [] }
            return [(key, view.unplaced.isUniform ? nil : Array(view.unplaced)[...])]
        }
        var queues: [(key: PoolKey, queue: ArraySlice<UnplacedQuery>?)] = []
        for (entries, isLate) in [(Array(view.unplaced), false), (Array(view.deferred), true)] {
            for entry in entries {
                guard let key = view.queries[entry.number].map(view.poolKey) else { continue }
                let position = queues.firstIndex { $0.key == key } ?? queues.count
                if position == queues.count { queues.append((key, [])) }
                if !isLate { queues[position].queue?.append(entry) }
            }
        }
        return queues
    }

    /// Deadlines at risk first; then by priority, the tenants that were served least, and deadlines.
    ///
    /// With one priority and one tenant that is the order of deadlines, and nothing is sorted.
    private mutating func order(_ queue: ArraySlice<UnplacedQuery>, at now: Instant) -> ArraySlice<UnplacedQuery> {
        guard let first = queue.first,
            queue.contains(where: { $0.priority != first.priority || $0.tenant != first.tenant })
        else { return queue }
        shares.noteWaiting(queue)
        let soon = settings.lastCall + settings.batchShare
        let urgent = queue.prefix { ($0.deadline - now).seconds < soon * $0.firstTokenTime }
        let rest = queue[urgent.endIndex...].map { ($0, shares.served($0.tenant)) }
        let sorted = rest.sorted { left, right in
            if left.0.priority != right.0.priority { return left.0.priority > right.0.priority }
            if left.1 != right.1 { return left.1 < right.1 }
            return left.0 < right.0
        }
        return (Array(urgent) + sorted.map(\.0))[...]
    }
}
