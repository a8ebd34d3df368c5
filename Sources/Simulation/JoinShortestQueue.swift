package import ServingModel

/// Each query goes to the worker with the fewest unfinished ones, the lowest index on ties.
package struct JoinShortestQueue: DispatchPolicy {
    package init() {}

    package mutating func place(_ query: Int, at now: Instant, fleet: FleetState) -> Int? {
        fleet.unfinishedQueries.indices.min { left, right in
            (fleet.unfinishedQueries[left], left) < (fleet.unfinishedQueries[right], right)
        }
    }
}
