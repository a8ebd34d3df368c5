internal import RecordTables
internal import ServingModel

extension AdmissionQueue {
    /// Traps if the sums are not those of the entries.
    ///
    /// Complexity: linear in what is under way; for tests and simulations.
    func checkInvariants() {
        precondition(running == entries.values.count { $0.stage == .running }, "running queries are counted")
        precondition(zip(levels, levels.dropFirst()).allSatisfy { $0.priority > $1.priority }, "levels are in order")
        precondition(levels.reduce(0) { $0 + $1.count } == entries.count, "every query is in a level")
        for level in levels {
            let members = entries.values.filter { $0.priority == level.priority }
            let waiting = members.filter { $0.stage == .waiting }
            precondition(members.count == level.count && !members.isEmpty, "a level counts its queries")
            precondition(waiting.count == level.waiting, "a level counts those that wait")
            check(level.work, members.reduce(0) { $0 + $1.work })
            check(level.paces, members.reduce(0) { $0 + 1 / $1.tokenTime })
            check(level.waitingWork, waiting.reduce(0) { $0 + $1.work })
            check(level.waitingTokens, waiting.reduce(0) { $0 + Double($1.tokens) })
            check(level.arrivals, waiting.reduce(0) { $0 + $1.arrival.seconds })
            check(level.allowances, waiting.reduce(0) { $0 + ($1.deadline - $1.arrival).seconds })
        }
    }

    /// Sums that were added to and taken from a million times are off by a little.
    private func check(_ kept: Double, _ fresh: Double) {
        precondition(abs(kept - fresh) <= 1e-6 * max(1, abs(fresh)), "a level's sums are those of its queries")
    }
}
