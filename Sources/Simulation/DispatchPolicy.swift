package import ServingModel

/// Chooses the worker for each query of a simulation.
package protocol DispatchPolicy {
    /// The worker for a query that arrives now, or nil to hold it.
    mutating func place(_ query: Int, at now: Instant, fleet: FleetState) -> Int?

    /// Workers for queries held so far; called after the arrivals of each instant at which something happened.
    mutating func placeHeld(at now: Instant, fleet: FleetState) -> [(query: Int, worker: Int)]
}

extension DispatchPolicy {
    package mutating func placeHeld(at now: Instant, fleet: FleetState) -> [(query: Int, worker: Int)] { [] }
}

/// What a dispatch policy sees of the workers.
package struct FleetState: Hashable, Sendable {
    /// Queries dispatched to each worker and not finished.
    package var unfinishedQueries: [Int]

    package init(workers: Int) {
        unfinishedQueries = Array(repeating: 0, count: workers)
    }

    package var workerCount: Int { unfinishedQueries.count }
}
