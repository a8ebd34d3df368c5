internal import ServingModel

/// The workers that take new queries for one model, with what decisions ask of all of them kept up to date.
struct WorkerPool: Sendable {
    let model: String
    /// In the order in which they joined.
    private(set) var slots: [Int] = []
    /// By when they were last given a query.
    var recency = SlotRecency.Ends()
    /// Workers that have nothing to do.
    private(set) var idle = SlotSet()
    /// Queries that decode, on all of them.
    private(set) var residents = 0
    /// Of the largest KV cache, in tokens.
    private(set) var largestCapacity = 0
    /// By how much memory they lack, once that was asked for.
    private var shortage: Tournament?
    /// Slots whose workers have changed since the tournament was brought up to date; may name one twice.
    private var changed: [Int] = []

    init(model: String) {
        self.model = model
    }

    mutating func add(_ slot: Int, _ worker: WorkerView) {
        slots.append(slot)
        idle.set(slot, worker.isIdle)
        residents += worker.residents.count
        largestCapacity = max(largestCapacity, worker.profile.kvCache.capacityTokens)
        shortage = nil
    }

    /// Takes a slot out; the others keep theirs.
    ///
    /// - Parameter workers: of all slots.
    mutating func remove(_ slot: Int, of workers: [WorkerView]) {
        slots.remove(at: position(of: slot))
        idle.set(slot, false)
        residents -= workers[slot].countedResidents
        if workers[slot].profile.kvCache.capacityTokens == largestCapacity {
            largestCapacity = slots.reduce(0) { max($0, workers[$1].profile.kvCache.capacityTokens) }
        }
        shortage = nil
        changed.removeAll(keepingCapacity: true)
    }

    /// Notes that something happened to a worker of the pool.
    mutating func noteChange(of slot: Int, isIdle: Bool, residents change: Int) {
        idle.set(slot, isIdle)
        residents += change
        guard shortage != nil else { return }
        // Asked for rarely, it is better made anew than changed again and again.
        if changed.count < slots.count { changed.append(slot) } else { shortage = nil }
    }

    /// The slots with the most room for contexts, the roomiest first; those without a free place last.
    mutating func roomiest(_ count: Int, of workers: [WorkerView]) -> [Int] {
        var tournament = shortage ?? Tournament(keys: slots.map { workers[$0].shortage })
        shortage = nil
        for slot in changed { tournament.set(position(of: slot), to: workers[slot].shortage) }
        changed.removeAll(keepingCapacity: true)
        let least = tournament.least(count).map { slots[$0] }
        shortage = tournament
        return least
    }

    private func position(of slot: Int) -> Int {
        var low = 0
        var high = slots.count
        while low < high {
            let middle = (low + high) / 2
            if slots[middle] < slot { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension WorkerView {
    /// Beyond any KV cache.
    private static let noPlace = 1 << 40

    /// KV tokens that are asked for beyond what admissions may take; much more if no place is free.
    fileprivate var shortage: Int {
        let missing = usedKVTokens + waitingTokens - admissibleKVTokens
        return freePlaces > 0 ? missing : missing + Self.noPlace
    }
}
