internal import ServingModel

/// Groups: the workers are dealt out among several schedulers, each of which packs its own.
extension BestFit {
    /// The members of a group, of a pool's workers.
    func members(of group: Int, in pool: [Int]) -> [Int] {
        let groups = min(settings.groups, pool.count)
        guard groups > 1 else { return pool }
        return stride(from: group % groups, to: pool.count, by: groups).map { pool[$0] }
    }

    /// The group for a query: of two that its number stands for, the one with more free capacity.
    ///
    /// Any dispatcher comes to the same two, without memory.
    func group(for query: QueryNumber, in pool: [Int]) -> Int {
        let groups = min(settings.groups, pool.count)
        guard groups > 1 else { return 0 }
        var hash = SeededGenerator(seed: query.rawValue)
        let first = Int(hash.next() % UInt64(groups))
        let second = (first + 1 + Int(hash.next() % UInt64(groups - 1))) % groups
        return freeCapacity(of: second, in: pool) > freeCapacity(of: first, in: pool) ? second : first
    }

    private func freeCapacity(of group: Int, in pool: [Int]) -> Double {
        members(of: group, in: pool).reduce(0) { $0 + max(0, 1 - bins[$1].contextShare(settings)) }
    }
}
